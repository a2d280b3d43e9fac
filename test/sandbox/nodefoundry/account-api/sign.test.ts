import { generateKeyPairSync, verify } from "node:crypto";
import { expect, test } from "vitest";
import { canonicalJson } from "../../../../src/model/canonical-json.ts";
import { call, enrolAgent, testSandbox } from "../../../support/net/sandbox.ts";

test("commands are signed over their canonical form when the sandbox has a key", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const signingKey = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const { sandbox } = await testSandbox({ signingKey });
  const agent = await enrolAgent(sandbox);
  await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/reboot`);
  const { signature, ...command } = (await agent.sync()).commands[0];
  const holds = (signed: object) =>
    verify(null, Buffer.from(canonicalJson(signed)), publicKey, Buffer.from(signature, "base64"));
  expect(holds(command)).toBe(true);
  expect(holds({ ...command, mode: "test" })).toBe(false);
});
