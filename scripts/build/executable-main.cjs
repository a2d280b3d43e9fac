/**
 * What an executable runs first: takes the bundle and what V8 compiled of it out of the executable's own pages
 * and starts it. (Node's `useCodeCache` would keep only what is compiled before anything has run.)
 */
const { getRawAsset } = require("node:sea");
const { Script } = require("node:vm");

const script = new Script(Buffer.from(getRawAsset("bundle")).latin1Slice(), {
  filename: "foundry-agent.cjs",
  cachedData: Buffer.from(getRawAsset("compiled")),
});
// Never with the node it was made by. The agent works without it, and the build refuses what warns.
if (script.cachedDataRejected) process.emitWarning("the compiled form of the agent is not accepted");
script.runInThisContext()(exports, require, module, __filename, __dirname);
