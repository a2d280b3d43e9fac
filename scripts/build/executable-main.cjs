/**
 * What an executable runs first: takes a bundle and what V8 compiled of it out of the executable's own pages
 * and starts it. The daemon has one of its own, for all of the text stays in memory. (Node's `useCodeCache` would
 * keep only what is compiled before anything has run.)
 */
const { getRawAsset } = require("node:sea");
const { Script } = require("node:vm");

// What only root may do a daemon of root's does itself where no helper is; the other one has no part for that.
const name = process.argv[2] === "run" && process.geteuid() !== 0 ? "daemon" : "program";
const script = new Script(Buffer.from(getRawAsset(name)).latin1Slice(), {
  filename: "foundry-agent.cjs",
  cachedData: Buffer.from(getRawAsset(`${name}.compiled`)),
});
// Never with the node it was made by. The agent works without it, and the build refuses what warns.
if (script.cachedDataRejected) process.emitWarning("the compiled form of the agent is not accepted");
script.runInThisContext()(exports, require, module, __filename, __dirname);
