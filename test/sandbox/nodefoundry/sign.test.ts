import { generateKeyPairSync, verify } from "node:crypto";
import { expect, test } from "vitest";
import { canonicalJson } from "../../../src/sandbox/nodefoundry/sign.ts";
import { call, enrolAgent, testSandbox } from "../../support/sandbox.ts";

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

test("the canonical form is that of RFC 8785", () => {
  const value = { b: [1e21, 0.000001, "€\u0000\n"], a: { "\u20ac": null, "\r": true, "1": -0 } };
  expect(canonicalJson(value)).toBe('{"a":{"\\r":true,"1":0,"€":null},"b":[1e+21,0.000001,"€\\u0000\\n"]}');
});
