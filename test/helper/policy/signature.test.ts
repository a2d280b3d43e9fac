/** What a signed command lets happen, asked for by a main process that may be anybody's. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { encodeFrame, MAX_REQUEST_BYTES } from "../../../src/helper/link/frame.ts";
import { readRequest, requestFor } from "../../../src/helper/link/request.ts";
import type { Operation } from "../../../src/helper/operation.ts";
import { checkSigned, type SignatureQuestion } from "../../../src/helper/policy/signature.ts";
import { MAX_SIGNED_LIFE_MS, type Signed } from "../../../src/helper/policy/signed-command.ts";
import { openSignedRecord } from "../../../src/helper/policy/signed-record.ts";
import { rebootOperation } from "../../../src/helper/reboot/reboot.ts";
import { errorCode } from "../../../src/model/errors.ts";
import { hostClock } from "../../../src/system/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { forAll } from "../../support/for-all.ts";
import { ask, helperHouse, requestFrame, sendRaw, testHelper } from "../../support/helper/helper.ts";
import { MINUTE, NOON, plainCommand, signer } from "../../support/helper/signing.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

const UID = process.geteuid?.() ?? 0;
const KEY = signer();
const at = (time: number): string => new Date(time).toISOString();

function emptyRecord() {
  const path = join(temporaryFolder(), "signed.json");
  return { path, record: openSignedRecord({ path, owner: UID }) };
}

/** The question of an honest main process at noon, but for what is given. */
function question(signed: Signed | null, over: Partial<SignatureQuestion> = {}): SignatureQuestion {
  return {
    signed,
    id: "cmd_1",
    word: "reboot",
    policy: { publicKey: KEY.publicKey, nodeId: "node_a" },
    policyPath: "/etc/foundry-agent/policy.toml",
    record: emptyRecord().record,
    now: NOON,
    covers: (params) => params.method === "graceful",
    ...over,
  };
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return "fine";
  } catch (error) {
    // One sentence and what to type next, whatever it is.
    expect(error).toMatchObject({
      message: expect.stringMatching(/^\S.*[^.]$/),
      nextStep: expect.any(String),
    });
    return errorCode(error);
  }
}
const verdict = (signed: Signed | null, over: Partial<SignatureQuestion> = {}): string =>
  codeOf(() => checkSigned(question(signed, over)));

describe("a signed command", () => {
  it("that asks for just this allows it", () => {
    expect(checkSigned(question(KEY.of(plainCommand({ unknown: { a: [1] } }))))).toEqual({
      id: "cmd_1",
      nodeId: "node_a",
      mode: "live",
      type: "reboot",
      params: { method: "graceful", drain_osds: false },
      issuedAt: NOON,
      expiresAt: NOON + 60 * MINUTE,
    });
  });

  it("that is none: unsigned", () => {
    expect(verdict(null)).toBe("unsigned");
  });

  it("of another key, altered, or with a signature that is none: bad_signature", () => {
    const good = KEY.of(plainCommand());
    for (const signed of [
      signer().of(plainCommand()),
      { ...good, text: good.text.replace("graceful", "hard") },
      { ...good, text: `${good.text} ` },
      { ...good, signature: "" },
      { ...good, signature: "no base64" },
      { ...good, signature: good.signature.slice(4) },
      { ...good, signature: `${good.signature}AAAA` },
      { ...good, signature: KEY.over("").signature },
      { ...good, signature: `${"A".repeat(86)}==` },
    ])
      expect(verdict(signed)).toBe("bad_signature");
    // Of a damaged key nothing holds, not even what is all zeros.
    for (const publicKey of [`${"A".repeat(58)}==`, "", KEY.publicKey.slice(4)])
      expect(verdict(good, { policy: { publicKey, nodeId: null } })).toBe("bad_signature");
  });

  it("with any one bit of text or signature flipped: never fine", () => {
    const good = KEY.of(plainCommand());
    const text = Buffer.from(good.text);
    const signature = Buffer.from(good.signature, "base64");
    forAll(
      fc.property(fc.boolean(), fc.nat(), fc.nat(7), (inText, place, bit) => {
        const bytes = Buffer.from(inText ? text : signature);
        bytes[place % bytes.length] = (bytes[place % bytes.length] as number) ^ (1 << bit);
        const flipped = inText
          ? { ...good, text: bytes.toString("latin1") }
          : { ...good, signature: bytes.toString("base64") };
        expect(verdict(flipped)).toBe("bad_signature");
      }),
      { seed: 20_261_121, cases: 300 },
    );
  });

  it.each([
    ["another id", plainCommand({ id: "cmd_2" })],
    ["another node", plainCommand({ node_id: "node_b" })],
    ["another type", plainCommand({ type: "wipe" })],
    ["a type this helper does not know", plainCommand({ type: "dance" })],
    ["mode test", plainCommand({ mode: "test" })],
    ["a mode nobody knows", plainCommand({ mode: "Live" })],
    ["other params", plainCommand({ params: { method: "hard" } })],
  ])("for %s: foreign", (_name, command) => {
    expect(verdict(KEY.of(command))).toBe("foreign");
  });

  it("is good from 5 minutes before it was issued until it expires", () => {
    const signed = KEY.of(plainCommand());
    for (const [minutes, code] of [
      [-6, "from_the_future"],
      [-5, "fine"],
      [0, "fine"],
      [59, "fine"],
      [60, "expired"],
      [60 * 24 * 366, "expired"],
    ] as const)
      expect([minutes, verdict(signed, { now: NOON + minutes * MINUTE })]).toEqual([minutes, code]);
  });

  it("with a clock of 1970, or one behind the last signature: no_trusted_time", () => {
    const { record } = emptyRecord();
    const signed = KEY.of(plainCommand());
    expect(verdict(signed, { now: 0 })).toBe("no_trusted_time");
    expect(verdict(signed, { now: Date.UTC(2025, 11, 31) })).toBe("no_trusted_time");
    record.note(checkSigned(question(KEY.of(plainCommand({ issued_at: at(NOON + 5 * MINUTE) })))));
    expect(verdict(signed, { record, now: NOON - 1 })).toBe("no_trusted_time");
    expect(verdict(signed, { record })).toBe("fine");
    // An hour is over; it is not given back by a clock that was set back.
    record.note(
      checkSigned(
        question(
          KEY.of(plainCommand({ issued_at: at(NOON + 61 * MINUTE), expires_at: at(NOON + 99 * MINUTE) })),
          {
            now: NOON + 61 * MINUTE,
          },
        ),
      ),
    );
    expect(verdict(signed, { record, now: NOON + 61 * MINUTE })).toBe("expired");
    expect(verdict(signed, { record, now: NOON + 10 * MINUTE })).toBe("no_trusted_time");
  });

  it("a signer whose clock was years ahead is forgotten by the line that the refusal names, and by nothing less", () => {
    const { path, record } = emptyRecord();
    const now = Date.UTC(2046, 0, 1);
    const times = { issued_at: at(now), expires_at: at(now + MINUTE) };
    record.note(checkSigned(question(KEY.of(plainCommand(times)), { now })));
    const signed = KEY.of(plainCommand());
    const refused = (() => {
      try {
        return checkSigned(question(signed, { record }));
      } catch (error) {
        return error as { nextStep: string };
      }
    })();
    const [, line = ""] = /: sudo (sed .*)$/.exec("nextStep" in refused ? refused.nextStep : "") ?? [];
    expect(line).toContain(path);
    expect(spawnSync("sh", ["-c", line]).status).toBe(0);
    expect(verdict(signed, { record })).toBe("fine");
    expect(record.read()).toMatchObject({ nodeId: "node_a", latestIssuedAt: NOON });
  });

  it("a record of the end of time holds nothing back", () => {
    const { path, record } = emptyRecord();
    const kept = { v: 1, node_id: "node_a", latest_issued_at: "9999-12-31T23:59:59.999Z" };
    writeFileSync(path, JSON.stringify(kept), { mode: 0o600 });
    const signed = KEY.of(plainCommand());
    expect(verdict(signed, { record })).toBe("fine");
    record.note(checkSigned(question(signed, { record })));
    expect(record.read().latestIssuedAt).toBe(NOON);
  });

  it.each([
    ["white space", JSON.stringify(plainCommand(), null, 1)],
    ["keys in another order", JSON.stringify({ type: "reboot", ...plainCommand() })],
    ["a key twice", '{"id":"cmd_1","id":"cmd_1"}'],
    ["a number written in another way", KEY.of(plainCommand()).text.replace('"seq":7', '"seq":7.0')],
    ["no JSON", "reboot"],
    ["nothing", ""],
    ["a list", "[]"],
    ["half of a surrogate pair", KEY.of(plainCommand()).text.replace("op_1", "\\ud83d")],
    ["deeper than can be canonical", `{"a":${"[".repeat(64)}${"]".repeat(64)}}`],
    ["no id", KEY.of(plainCommand({ id: 1 })).text],
    ["params that are a list", KEY.of(plainCommand({ params: [] })).text],
    ["a time without its offset", KEY.of(plainCommand({ expires_at: "2026-11-21T13:00:00" })).text],
    ["no time", KEY.of(plainCommand({ issued_at: "2026-13-77T13:00:00Z" })).text],
    ["a time that is a number", KEY.of(plainCommand({ issued_at: 1 })).text],
    ["a signature inside", KEY.of(plainCommand({ signature: "x" })).text],
    ["expiring before it is issued", KEY.of(plainCommand({ expires_at: at(NOON) })).text],
    ["good for too long", KEY.of(plainCommand({ expires_at: at(NOON + MAX_SIGNED_LIFE_MS + 1) })).text],
    ["more than 64 KiB", KEY.of(plainCommand({ fill: "ü".repeat(32_768) })).text],
  ])("validly signed, but with %s: malformed", (_name, text) => {
    expect(verdict(KEY.over(text))).toBe("malformed");
  });

  it("any text that is validly signed is a command or malformed, never a crash", () => {
    const fields = fc.dictionary(
      fc.constantFrom(...Object.keys(plainCommand()), "__proto__", "signature"),
      fc.jsonValue(),
    );
    forAll(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fields.map((over) => KEY.of(plainCommand(over)).text),
        ),
        (text) => {
          expect(["malformed", "foreign", "fine", "expired", "from_the_future"]).toContain(
            verdict(KEY.over(text)),
          );
        },
      ),
      { seed: 20_261_121, cases: 150 },
    );
  });
});

describe("which node this is", () => {
  const forNode = (node_id: string) => KEY.of(plainCommand({ node_id }));
  const open = { policy: { publicKey: KEY.publicKey, nodeId: null } };

  it("says the policy, else the first command that was carried out", () => {
    const { path, record } = emptyRecord();
    const first = checkSigned(question(forNode("node_a"), { ...open, record }));
    // Asking alone pins nothing.
    expect(existsSync(path)).toBe(false);
    expect(verdict(forNode("node_b"), { ...open, record })).toBe("fine");
    record.note(first);
    expect(verdict(forNode("node_b"), { ...open, record })).toBe("foreign");
    expect(verdict(forNode("node_a"), { ...open, record })).toBe("fine");
    expect(() => checkSigned(question(forNode("node_b"), { ...open, record }))).toThrow(
      expect.objectContaining({
        nextStep:
          'if this host is node_b: write node_id = "node_b" below [commands] in /etc/foundry-agent/policy.toml',
      }),
    );
    // The node got another id: the policy is right, and its word is what is remembered.
    const policy = { publicKey: KEY.publicKey, nodeId: "node_b" };
    expect(verdict(forNode("node_a"), { policy, record })).toBe("foreign");
    record.note(checkSigned(question(forNode("node_b"), { policy, record })));
    expect(verdict(forNode("node_a"), { ...open, record })).toBe("foreign");
  });

  it("is a file of root's, replaced whole, with the latest signature of all", () => {
    const { path, record } = emptyRecord();
    const later = checkSigned(question(KEY.of(plainCommand({ issued_at: at(NOON + MINUTE) }))));
    record.note(later);
    record.note(checkSigned(question(KEY.of(plainCommand()))));
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
      v: 1,
      node_id: "node_a",
      latest_issued_at: "2026-11-21T12:01:00.000Z",
    });
    expect(openSignedRecord({ path, owner: UID }).read()).toEqual({
      nodeId: "node_a",
      latestIssuedAt: NOON + MINUTE,
    });
  });

  it.each([
    ["empty", ""],
    ["zeros, as a power cut leaves them", "\0".repeat(64)],
    ["another version", '{"v":2,"node_id":"node_a","latest_issued_at":"2026-11-21T12:00:00.000Z"}'],
    ["without a node", '{"v":1,"latest_issued_at":"2026-11-21T12:00:00.000Z"}'],
    ["no time", '{"v":1,"node_id":"node_a","latest_issued_at":"soon"}'],
  ])("is not forgotten where the file is %s", (_name, text) => {
    const { path, record } = emptyRecord();
    writeFileSync(path, text, { mode: 0o600 });
    expect(verdict(forNode("node_a"), { record })).toBe("record_unusable");
    expect(codeOf(() => record.note(checkSigned(question(forNode("node_a")))))).toBe("record_unusable");
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("is not believed of a file that others could have written", () => {
    const { path, record } = emptyRecord();
    record.note(checkSigned(question(forNode("node_a"))));
    chmodSync(path, 0o666);
    expect(verdict(forNode("node_a"), { record })).toBe("record_unusable");
  });
});

describe("on the wire", () => {
  it("the longest command there can be fits into a request, one byte more is refused", () => {
    const request = (bytes: number) => {
      const signed = { text: '"'.repeat(bytes), signature: "s".repeat(200) };
      return requestFor("reboot", { method: "graceful" }, "id", 0, { source: "local", signed });
    };
    const frame = encodeFrame(request(65_536), MAX_REQUEST_BYTES);
    expect(readRequest(JSON.parse(frame.subarray(4).toString()), 0).signed?.text).toHaveLength(65_536);
    expect(codeIn(() => readRequest(request(65_537), 0))).toBe("helper_protocol");
    const long = { text: "", signature: "s".repeat(201) };
    expect(codeIn(() => readRequest(requestFor("noop", {}, "id", 0, { signed: long }), 0))).toBe(
      "helper_protocol",
    );
    expect(readRequest(requestFor("noop", {}, "id", 0, {}), 0).signed).toBeNull();
  });

  function codeIn(work: () => unknown): string {
    try {
      work();
      return "fine";
    } catch (error) {
      return errorCode(error);
    }
  }
});

it("a reboot is covered by the method it was signed with, graceful where none is named", () => {
  const { covers } = rebootOperation({
    state: { stateFolder: "/", policyPath: "/", fileSystemType: () => 0 },
  });
  if (covers === undefined) throw new Error("nothing signed would ever reboot this host");
  expect(covers({ method: "graceful" }, {})).toBe(true);
  expect(covers({ method: "graceful" }, { method: "graceful", drain_osds: true })).toBe(true);
  expect(covers({ method: "hard" }, { method: "hard" })).toBe(true);
  expect(covers({ method: "hard" }, {})).toBe(false);
  expect(covers({ method: "hard" }, { method: "graceful" })).toBe(false);
  expect(covers({ method: "graceful" }, { method: "hard" })).toBe(false);
  expect(covers({ method: "hard" }, JSON.parse('{"__proto__":{"method":"hard"}}'))).toBe(false);
  for (const method of [null, "", ["graceful"]])
    expect(covers({ method: "graceful" }, { method })).toBe(false);
});

describe("a main process that was taken over", () => {
  /** Reboots by hand, a light without a signature, and a change that no signature covers. */
  async function rig(policy = "") {
    const acts: string[] = [];
    let held: Promise<void> | null = null;
    const turn = {
      hold(): () => void {
        const { promise, resolve } = Promise.withResolvers<void>();
        held = promise;
        return resolve;
      },
    };
    const acting = (name: string, word: string): Operation<{ method: string }> => ({
      name,
      args: v.strictObject({ method: v.optional(v.string(), "graceful") }),
      timeoutMs: 10_000,
      policy: word,
      lanes: () => [{ name, limit: 1 }],
      perform: async ({ method }) => {
        acts.push(`${name} ${method}`);
        if (word === "reboot") await held;
        return {};
      },
    });
    const reboot: Operation<{ method: string }> = {
      ...acting("act", "reboot"),
      covers: ({ method }, params) => method === (params.method ?? "graceful"),
    };
    const house = helperHouse(
      `[commands]\nremote = "on"\npublic_key = "${KEY.publicKey}"\n${policy}\n[allow]\nlocal = ["reboot", "locate", "drain"]\nnodefoundry = ["reboot"]\n[limits.reboot]\nminutes_apart = 0\na_day = 3\n`,
    );
    const wall = { now: NOON };
    const moreOperations = [reboot, acting("light", "locate"), acting("uncovered", "drain")] as Operation[];
    const clock = { ...hostClock(), now: () => wall.now };
    const { audits } = await testHelper(house, { moreOperations, clock });
    const call = (over: Record<string, unknown>) =>
      ask(house.socket, { operation: "act", id: "cmd_1", source: "nodefoundry", ...over });
    return { house, acts, wall, audits, call, turn };
  }

  it("has an honest command carried out once, whoever delivers it how often", async () => {
    const { house, acts, audits, call, wall } = await rig();
    const signed = KEY.of(plainCommand());
    expect(await call({ signed })).toBe("ok");
    expect(acts).toEqual(["act graceful"]);
    expect(JSON.parse(readFileSync(join(house.stateFolder, "signed.json"), "utf8")).node_id).toBe("node_a");
    expect(audits()[0]).toMatchObject({ id: "cmd_1", outcome: "ok", signed: "verified" });
    expect(JSON.stringify(audits())).not.toContain(signed.signature);
    // Replayed, without its signature, after it expired, by an honest clock or none: answered, and not done again.
    wall.now = NOON + 1_000 * MINUTE;
    expect([await call({ signed }), await call({}), await call({ source: "local" })]).toEqual([
      "ok",
      "ok",
      "ok",
    ]);
    wall.now = 0;
    expect(await call({ signed })).toBe("ok");
    expect(acts).toHaveLength(1);
    expect(audits()[1]).toMatchObject({
      message: "done before, answered from the record",
      signed: "not verified",
    });
  });

  it("has nothing else done with it", async () => {
    const { house, acts, audits, call, wall } = await rig();
    const signed = KEY.of(plainCommand());
    const own = signer();
    expect(await call({})).toBe("unsigned");
    // Claiming that somebody on this host asked for it helps nobody.
    expect(await call({ source: "local" })).toBe("unsigned");
    expect(await call({ signed, source: "local", id: "cmd_2" })).toBe("foreign");
    expect(await call({ signed, args: { method: "hard" } })).toBe("foreign");
    expect(await call({ signed: own.of(plainCommand()) })).toBe("bad_signature");
    expect(await call({ signed: { ...signed, text: signed.text.replace("node_a", "node_b") } })).toBe(
      "bad_signature",
    );
    expect(await call({ signed: KEY.of(plainCommand({ mode: "test" })) })).toBe("foreign");
    expect(await call({ signed: KEY.of(plainCommand({ type: "locate" })) })).toBe("foreign");
    expect(await call({ signed: KEY.over(JSON.stringify(plainCommand())) })).toBe("malformed");
    expect(await call({ signed: { ...signed, more: 1 } })).toBe("helper_protocol");
    expect(
      await call({
        operation: "uncovered",
        source: "local",
        signed: KEY.of(plainCommand({ type: "drain" })),
      }),
    ).toBe("foreign");
    wall.now = NOON + 60 * MINUTE;
    expect(await call({ signed })).toBe("expired");
    wall.now = NOON - 6 * MINUTE;
    expect(await call({ signed })).toBe("from_the_future");
    wall.now = 0;
    expect(await call({ signed })).toBe("no_trusted_time");
    expect(acts).toEqual([]);
    expect(existsSync(join(house.stateFolder, "done.json"))).toBe(false);
    expect(existsSync(join(house.stateFolder, "signed.json"))).toBe(false);
    expect(audits().every(({ signed }) => signed === undefined || signed === "not verified")).toBe(true);
    // And what was refused was not used up.
    wall.now = NOON;
    expect(await call({ signed })).toBe("ok");
  });

  it("can't bring another node's commands after the first, nor before it where the policy names the node", async () => {
    const pinned = await rig();
    const other = (id: string) => KEY.of(plainCommand({ id, node_id: "node_b" }));
    expect(await pinned.call({ signed: KEY.of(plainCommand()) })).toBe("ok");
    expect(await pinned.call({ signed: other("cmd_2"), id: "cmd_2" })).toBe("foreign");
    const named = await rig('node_id = "node_a"');
    expect(await named.call({ signed: other("cmd_1") })).toBe("foreign");
    expect([...pinned.acts, ...named.acts]).toEqual(["act graceful"]);
  });

  it("gains nothing by waiting: what holds is what holds when it is begun", async () => {
    const { house, acts, wall, call, turn } = await rig();
    const waits = (id: string) => call({ id, signed: KEY.of(plainCommand({ id })) });
    const hold = turn.hold();
    const first = waits("cmd_1");
    await eventually(() => acts.length === 1);
    const late = waits("cmd_2");
    // Both were asked in turn, so the second waits when the third is answered.
    expect(await call({ operation: "light", source: "local", id: "light_1" })).toBe("ok");
    // What is refused anyway is not made to wait for it.
    expect(await call({ id: "cmd_3" })).toBe("unsigned");
    wall.now = NOON + 60 * MINUTE;
    hold();
    expect([await first, await late]).toEqual(["ok", "expired"]);
    expect(acts).toEqual(["act graceful", "light graceful"]);
    expect(house.record().map(({ id }) => id)).toEqual(["cmd_1", "light_1"]);
  });

  it("is held to the limits and the policy also with signed commands", async () => {
    const { house, acts, call } = await rig();
    const signed = (id: string) => KEY.of(plainCommand({ id }));
    const codes: string[] = [];
    for (const id of ["cmd_1", "cmd_2", "cmd_3", "cmd_4"]) codes.push(await call({ id, signed: signed(id) }));
    expect(codes).toEqual(["ok", "ok", "ok", "helper_refused"]);
    expect(acts).toHaveLength(3);
    house.policy(
      `[commands]\nremote = "rehearse"\npublic_key = "${KEY.publicKey}"\n[allow]\nnodefoundry = ["reboot"]\n`,
    );
    expect(await call({ id: "cmd_5", signed: signed("cmd_5") })).toBe("helper_refused");
    // The key was changed: what the old one signed is worth nothing from now on.
    house.policy(
      `[commands]\nremote = "on"\npublic_key = "${signer().publicKey}"\n[allow]\nnodefoundry = ["reboot"]\n`,
    );
    expect(await call({ id: "cmd_6", signed: signed("cmd_6") })).toBe("bad_signature");
  });

  it("needs no signature for what is not among the signed words", async () => {
    const { acts, call, audits } = await rig();
    expect(await call({ operation: "light", source: "local" })).toBe("ok");
    expect(acts).toEqual(["light graceful"]);
    expect(audits()[0]).not.toHaveProperty("signed");
  });

  it("and a damaged record of signed commands stops all that need one", async () => {
    const { house, acts } = await rig();
    writeFileSync(join(house.stateFolder, "signed.json"), "{", { mode: 0o600 });
    const frame = requestFrame({
      ...{ operation: "act", id: "cmd_1", source: "local" },
      signed: KEY.of(plainCommand()),
    });
    expect((await sendRaw(house.socket, frame)).answer?.error).toMatchObject({
      code: "record_unusable",
      message: expect.stringContaining("is damaged, so nothing signed is done"),
    });
    expect(acts).toEqual([]);
  });
});
