/** What the server signed is what the agent verifies: from one to the other over a real socket. */
import { describe, expect, test } from "vitest";
import { parseCommands } from "../../../src/control/command-document.ts";
import { verifiedCommand } from "../../../src/helper/policy/signed-command.ts";
import { canonicalJson } from "../../../src/model/canonical-json.ts";
import { input, signal } from "../../support/control/context.ts";
import { plainCommand, signer } from "../../support/helper/signing.ts";
import { startRig } from "./rig.ts";

const KEY = signer();

async function delivered(signingKey: string | undefined) {
  const rig = await startRig(signingKey === undefined ? {} : { signingKey });
  const agent = rig.agent();
  const { live } = rig.sandbox.keys;
  await agent.api.enroll(live, {}, signal);
  const { nodeId } = agent.api.status();
  await fetch(`${rig.sandbox.url}/v1/nodes/${nodeId}/reboot`, {
    method: "POST",
    headers: { authorization: `Bearer ${live}`, "content-type": "application/json" },
    body: JSON.stringify({ method: "hard", drain_osds: false }),
  });
  const { commands } = await agent.api.sync(input(), signal);
  return { command: commands[0], nodeId };
}

test("a command that the sandbox signed arrives with the text it signed", async () => {
  const { command, nodeId } = await delivered(KEY.privateKeyPem);
  const { signature, signedText } = command ?? {};
  if (typeof signature !== "string" || typeof signedText !== "string") throw new Error("it came unsigned");
  expect(verifiedCommand({ text: signedText, signature }, KEY.publicKey)).toEqual({
    id: command?.id,
    nodeId,
    mode: "live",
    type: "reboot",
    params: command?.params,
    issuedAt: command?.issuedAt,
    expiresAt: command?.expiresAt,
  });
  expect(command?.params).toMatchObject({ method: "hard" });
});

test("without a signature there is no text either", async () => {
  expect((await delivered(undefined)).command).toMatchObject({ signature: null, signedText: null });
});

describe("a command as it came", () => {
  const parsed = (item: Record<string, unknown>) =>
    parseCommands([item], { nodeId: "node_a", mode: "live", source: "nodefoundry" });

  test("is signed with all its fields, in whatever order and form", () => {
    const command = plainCommand({ later: { "\u20ac": 1, a: 1e21 }, operation_id: null });
    const { signature } = KEY.of(command);
    const [taken] = parsed(Object.fromEntries(Object.entries({ ...command, signature }).reverse())).commands;
    expect(taken).toMatchObject({ signature, signedText: canonicalJson(command) });
    expect(verifiedCommand({ text: taken?.signedText ?? "", signature }, KEY.publicKey).id).toBe("cmd_1");
  });

  test("with a number or text that has no canonical form, or too much of it: malformed, if it is signed", () => {
    for (const fill of [JSON.parse("1e400"), "\ud83d", "x".repeat(70_000)]) {
      const { commands, rejected } = parsed(plainCommand({ fill, signature: "x" }));
      expect(commands).toEqual([]);
      expect(rejected).toEqual([{ id: "cmd_1", code: "malformed", message: expect.any(String) }]);
      expect(parsed(plainCommand({ fill })).commands).toMatchObject([{ id: "cmd_1", signedText: null }]);
    }
  });
});
