import { describe, expect, it } from "vitest";
import { type SignatureOptions, signatureProblem } from "../../src/commands/signature.ts";
import { parseCommands } from "../../src/control/command-document.ts";
import { POLICY_WORDS, SIGNED_WORDS } from "../../src/helper/policy/words.ts";
import type { Command } from "../../src/model/command.ts";
import { MINUTE, NOON, plainCommand, signer } from "../support/helper/signing.ts";

const KEY = signer();
const OPTIONS: SignatureOptions = {
  publicKey: KEY.publicKey,
  nodeId: "node_a",
  now: { atLeast: NOON, exact: true },
};

/** As it comes out of the control API's reader, signed with `key`. */
function received(over: Record<string, unknown> = {}, key = KEY, mode: "live" | "test" = "live"): Command {
  const plain = plainCommand(over);
  const item = { ...plain, signature: key.of(plain).signature };
  const [command] = parseCommands([item], {
    nodeId: String(plain.node_id),
    mode,
    source: "nodefoundry",
  }).commands;
  if (command === undefined) throw new Error("it was not read");
  return command;
}
const unsigned = (over: Partial<Command> = {}): Command => ({
  ...received(),
  signature: null,
  signedText: null,
  ...over,
});
const code = (command: Command, over: Partial<SignatureOptions> = {}): string | undefined =>
  signatureProblem(command, { ...OPTIONS, ...over })?.code;
const at = (minutes: number, exact = true) => ({ now: { atLeast: NOON + minutes * MINUTE, exact } });

describe("before a command is accepted", () => {
  it("without a public key in the policy nothing is asked for", () => {
    expect(signatureProblem(unsigned(), { ...OPTIONS, publicKey: null })).toBeNull();
    expect(signatureProblem(received({}, signer()), { ...OPTIONS, publicKey: null })).toBeNull();
  });

  it("one that is signed for this node, now, passes", () => {
    expect(signatureProblem(received(), OPTIONS)).toBeNull();
    expect(code(received(), { nodeId: null })).toBeUndefined();
  });

  it("unsigned ones are refused where the policy's word has to be signed, local ones too", () => {
    const needed = POLICY_WORDS.filter((type) => code(unsigned({ type })) === "unsigned");
    expect(needed).toEqual(SIGNED_WORDS);
    expect(code(unsigned({ source: "local", issuedAt: null, expiresAt: null }))).toBe("unsigned");
    expect(code(unsigned({ type: "noop" }))).toBeUndefined();
    expect(signatureProblem(unsigned(), OPTIONS)).toEqual({
      code: "unsigned",
      text: "The policy of this host wants reboot signed, and this command is not.",
      nextStep: "foundry-agent commands sign --help",
    });
  });

  it("a signature that is there has to hold, also where none is needed", () => {
    const locate = { type: "locate", params: { serial: "S", on: true, ttl_s: 60 } };
    expect(code(received(locate))).toBeUndefined();
    expect(code(received(locate, signer()))).toBe("bad_signature");
  });

  it("what is carried out is what was signed, whatever the journal or its reader made of it", () => {
    const command = received();
    expect(code({ ...command, params: { method: "hard" } })).toBe("foreign");
    expect(code({ ...command, type: "wipe" })).toBe("foreign");
    expect(code({ ...command, id: "cmd_2" })).toBe("foreign");
    expect(code(command, { nodeId: "node_b" })).toBe("foreign");
    expect(code(received({}, signer()))).toBe("bad_signature");
    expect(code({ ...command, signedText: (command.signedText ?? "").replace("op_1", "op_2") })).toBe(
      "bad_signature",
    );
    const { text, signature } = KEY.over(JSON.stringify(plainCommand()));
    expect(code({ ...command, signedText: text, signature })).toBe("malformed");
  });

  it("mode: signed for test is never live; signed for live may be carried out as a test", () => {
    const forTest = received({ mode: "test" });
    expect(code(forTest)).toBeUndefined();
    expect(code({ ...forTest, mode: "live" })).toBe("foreign");
    const onTestNode = received({}, KEY, "test");
    expect(onTestNode.mode).toBe("test");
    expect(code(onTestNode)).toBeUndefined();
  });

  it("time: never guessed, but too late is too late", () => {
    expect(code(received(), at(-6))).toBe("from_the_future");
    expect(code(received(), at(59))).toBeUndefined();
    expect(code(received(), at(60))).toBe("expired");
    expect(code(received(), { now: { atLeast: null, exact: false } })).toBe("no_trusted_time");
    expect(code(received(), at(0, false))).toBe("no_trusted_time");
    expect(code(received(), at(-60, false))).toBe("no_trusted_time");
    expect(code(received(), at(60, false))).toBe("expired");
    // Who it is from and for is told first: no time makes it right.
    expect(code(received({}, signer()), { now: { atLeast: null, exact: false } })).toBe("bad_signature");
  });
});
