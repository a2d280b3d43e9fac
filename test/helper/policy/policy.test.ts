import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../../scripts/paths.mjs";
import { CONTROL_APIS } from "../../../src/control/index.ts";
import {
  denial,
  installStep,
  POLICY_PATH,
  parsePolicy,
  readPolicy,
} from "../../../src/helper/policy/policy.ts";
import { parsePublicKey } from "../../../src/helper/policy/public-key.ts";
import { POLICY_WORDS } from "../../../src/helper/policy/words.ts";

const SOURCES = ["local", ...CONTROL_APIS.map(({ name }) => name)];

import { AgentError } from "../../../src/model/errors.ts";
import { forAll } from "../../support/for-all.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

const UID = process.geteuid?.() ?? 0;
const SHIPPED = readFileSync(new URL("../../../packaging/policy.toml", import.meta.url), "utf8");
const KEY = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

function refusal(work: () => unknown): AgentError {
  try {
    work();
  } catch (error) {
    if (error instanceof AgentError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

/** A policy file with this text, mode and place. */
function written(text: string, mode = 0o644): string {
  const path = join(temporaryFolder(), "policy.toml");
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe("the file", () => {
  it("as it is shipped: local and remote may do what heals, remote only rehearses, nobody upgrades or wipes", () => {
    const policy = readPolicy(written(SHIPPED), UID);
    expect(policy.remote).toBe("rehearse");
    expect(policy.limits.reboot).toEqual({ minutesApart: 30, aDay: 3 });
    const usual = POLICY_WORDS.filter((word) => word !== "upgrade" && word !== "wipe");
    expect(policy.allow).toMatchObject({ local: usual, nodefoundry: usual });
    expect(Object.keys(policy.allow)).toEqual(SOURCES);
    expect(policy.publicKey).toBeNull();
    expect([policy.nodeId, policy.volatileState]).toEqual([null, false]);
    // What stands in comments as an example can be taken as it is.
    const examples = SHIPPED.replace(/^# (?=\[limits|minutes_apart|a_day)/gm, "").replace(
      /^# (public_key = ).*$/m,
      `$1"${KEY}"`,
    );
    expect(examples).not.toBe(SHIPPED);
    expect(readPolicy(written(examples), UID)).toMatchObject({
      publicKey: KEY,
      limits: { locate: { aDay: 200 } },
    });
  });

  it("says which node this is, and whether a record in memory will do", () => {
    const policy = parsePolicy("p", '[commands]\nnode_id = "node_7"\nvolatile_state = true\n');
    expect([policy.nodeId, policy.volatileState]).toEqual(["node_7", true]);
  });

  it("that is empty allows nothing", () => {
    const policy = readPolicy(written(""), UID);
    for (const word of POLICY_WORDS) expect(denial(policy, "p", word, "local")?.code).toBe("helper_refused");
  });

  it("missing: the line that brings it", () => {
    expect(refusal(() => readPolicy("/nowhere/policy.toml", UID))).toMatchObject({
      code: "policy_unusable",
      message: "there is no policy /nowhere/policy.toml, so nothing that changes anything is done",
      nextStep: expect.stringContaining("/nowhere/policy.toml"),
    });
    const shipped = join(ROOT, "packaging/policy.toml");
    expect(installStep("/x y/policy.toml", ["/nowhere", shipped])).toBe(
      `install -m 0644 ${shipped} '/x y/policy.toml'`,
    );
    expect(installStep(POLICY_PATH, [shipped])).toBe(
      `install -m 0644 -o root -g root ${shipped} /etc/foundry-agent/policy.toml`,
    );
    // Nothing is named that is not there, as after install.sh of an archive.
    expect(installStep(POLICY_PATH, ["/nowhere"])).toBe(
      "put policy.toml of the release at /etc/foundry-agent/policy.toml, owned by root and writable by nobody else",
    );
  });

  it.each([
    ["writable by everybody", 0o666],
    ["writable by a group", 0o664],
  ])("%s: the line that closes it", (_name, mode) => {
    const path = written(SHIPPED, mode);
    const { code, message, nextStep } = refusal(() => readPolicy(path, UID));
    expect([code, message]).toEqual([
      "policy_unusable",
      `${path} can be changed by others than its owner, so nothing that changes anything is done`,
    ]);
    // The line is one to type: afterwards the file is fine.
    execFileSync("sh", ["-c", nextStep as string]);
    expect(readPolicy(path, UID).remote).toBe("rehearse");
  });

  it.skipIf(UID !== 0)("of another owner, or in a folder of one", () => {
    const path = written(SHIPPED);
    chownSync(path, 1_234, 0);
    expect(refusal(() => readPolicy(path, 0))).toMatchObject({
      message: expect.stringContaining("belongs to uid 1234 and not to root"),
      nextStep: `chown root:root ${path} && chmod 0644 ${path}`,
    });
    const folder = temporaryFolder();
    const inside = join(folder, "policy.toml");
    writeFileSync(inside, SHIPPED, { mode: 0o644 });
    chownSync(folder, 1_234, 0);
    expect(refusal(() => readPolicy(inside, 0)).nextStep).toBe(
      `chown root:root ${folder} && chmod 0755 ${folder}`,
    );
  });

  it("in a folder that others may write, directly or further up, or behind a link", () => {
    const top = temporaryFolder();
    const folder = join(top, "a", "b");
    mkdirSync(folder, { recursive: true });
    const path = join(folder, "policy.toml");
    writeFileSync(path, SHIPPED, { mode: 0o644 });
    expect(readPolicy(path, UID).remote).toBe("rehearse");
    const link = join(temporaryFolder(), "policy.toml");
    symlinkSync(path, link);
    expect(readPolicy(link, UID).remote).toBe("rehearse");
    for (const [open, mode] of [
      [folder, 0o777],
      [join(top, "a"), 0o775],
    ] as const) {
      chmodSync(open, mode);
      for (const way of [path, link])
        expect(refusal(() => readPolicy(way, UID)).message).toContain(`${open} can be changed by others`);
      chmodSync(open, 0o755);
    }
    expect(readPolicy(path, UID).remote).toBe("rehearse");
  });

  it("that is no file, is too long, or no text", () => {
    const folder = temporaryFolder();
    execFileSync("mkfifo", [join(folder, "fifo")]);
    expect(refusal(() => readPolicy(join(folder, "fifo"), UID)).message).toContain("is no regular file");
    expect(refusal(() => readPolicy(folder, UID)).code).toBe("policy_unusable");
    expect(refusal(() => readPolicy(written("# x\n".repeat(20_000)), UID)).message).toContain("80000 bytes");
    const path = written("");
    writeFileSync(path, Buffer.from([0x23, 0xff, 0x0a]));
    expect(refusal(() => readPolicy(path, UID)).message).toContain("is no text in UTF-8");
  });

  it.each([
    ["[commands\n", "p:1 is not valid TOML"],
    ['[commands]\nremote = "yes"\n', 'p:2: commands.remote is not as expected (("off" | "rehearse" | "on"))'],
    ['[comands]\nremote = "on"\n', "p:1: the key comands is not known (did you mean commands?)"],
    ['[commands]\nremot = "on"\n', "p:2: the key commands.remot is not known (did you mean remote?)"],
    [
      "[commands]\nvolatil_state = true\n",
      "p:2: the key commands.volatil_state is not known (did you mean volatile_state?)",
    ],
    ['[commands]\nnodeid = "x"\n', "p:2: the key commands.nodeid is not known (did you mean node_id?)"],
    ['[commands]\nvolatile_state = "yes"\n', "p:2: commands.volatile_state is not as expected"],
    [`[commands]\nnode_id = "${"n".repeat(65)}"\n`, "p:2: commands.node_id is not as expected"],
    ['\n[allow]\nlocall = ["reboot"]\n', "p:3: the key allow.locall is not known (did you mean local?)"],
    ['[allow]\nlocal = ["reboot", "rebot"]\n', "p:2: allow.local[1] is not as expected"],
    ['[allow]\nlocal = "reboot"\n', "p:2: allow.local is not as expected"],
    ["[limits.reboot]\na_dya = 3\n", "p:2: the key limits.reboot.a_dya is not known (did you mean a_day?)"],
    ["[limits.rebot]\na_day = 3\n", "p:1: the key limits.rebot is not known (did you mean reboot?)"],
    ["[limits.reboot]\na_day = -1\n", "p:2: limits.reboot.a_day is not as expected"],
    ["[limits.reboot]\na_day = 1.5\n", "p:2: limits.reboot.a_day is not as expected"],
    ["[limits]\nreboot = 3\n", "p:2: limits.reboot is not as expected"],
    [
      '[commands]\npublic_key = "abc"\n',
      "commands.public_key is not as expected (an Ed25519 public key in base64)",
    ],
    ["__proto__ = 1\n", "p"],
  ])("%j is refused with file, line and key", (text, sentence) => {
    const { code, message, nextStep } = refusal(() => parsePolicy("p", text));
    expect(code).toBe("policy_unusable");
    expect(message).toContain(sentence);
    expect(message).toMatch(/, so nothing that changes anything is done$/);
    expect(nextStep).toBe("sudoedit p");
  });

  it("any other text is a policy or one refusal", () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "[allow]",
        "[commands]",
        'remote = "on"',
        "[limits.reboot]",
        "a_day = 3",
        'local = ["reboot"]',
        "[",
      ),
    );
    forAll(
      fc.property(fc.array(line), (lines) => {
        try {
          parsePolicy("p", lines.join("\n"));
        } catch (error) {
          expect(error).toMatchObject({ code: "policy_unusable" });
        }
      }),
      { seed: 20_261_121, cases: 2_000 },
    );
  });
});

describe("what it allows", () => {
  const open = parsePolicy(
    "p",
    '[commands]\nremote = "on"\n[allow]\nlocal = ["locate"]\nnodefoundry = ["reboot"]\n',
  );
  const withRemote = (remote: string) =>
    parsePolicy(
      "p",
      `[commands]\nremote = "${remote}"\n[allow]\nlocal = ["reboot"]\nnodefoundry = ["reboot"]\n`,
    );

  it("goes by source and word", () => {
    expect(denial(open, "p", "locate", "local")).toBeNull();
    expect(denial(open, "p", "reboot", "nodefoundry")).toBeNull();
    expect(denial(open, "p", "reboot", "local")).toMatchObject({
      code: "helper_refused",
      message: "the policy does not let local do reboot",
      nextStep: 'write local = ["locate", "reboot"] below [allow] in p',
    });
    for (const source of [null, "netbox", "__proto__", "constructor"])
      expect(denial(open, "p", "reboot", source)?.code).toBe("helper_refused");
    for (const word of ["halt", "constructor", ""])
      expect(denial(open, "p", word, "local")?.code).toBe("helper_refused");
  });

  it("from the network only when remote is on, whatever [allow] says", () => {
    expect(denial(withRemote("rehearse"), "p", "reboot", "nodefoundry")?.nextStep).toBe(
      'write remote = "on" below [commands] in p',
    );
    expect(denial(withRemote("off"), "p", "reboot", "nodefoundry")?.code).toBe("helper_refused");
    expect(denial(withRemote("on"), "p", "reboot", "nodefoundry")).toBeNull();
    expect(denial(withRemote("off"), "p", "reboot", "local")).toBeNull();
  });

  it("with a public key the same: signatures are looked at after it", () => {
    const signed = parsePolicy("p", `[commands]\npublic_key = "${KEY}"\n[allow]\nlocal = ["reboot"]\n`);
    expect(denial(signed, "p", "reboot", "local")).toBeNull();
    expect(denial(signed, "p", "locate", "local")?.code).toBe("helper_refused");
  });
});

it("a public key is 32 bytes or their SubjectPublicKeyInfo, with or without armour", () => {
  const raw = Buffer.from(KEY, "base64").subarray(12).toString("base64");
  for (const text of [KEY, raw, `-----BEGIN PUBLIC KEY-----\n${KEY}\n-----END PUBLIC KEY-----\n`])
    expect(parsePublicKey(text)).toBe(KEY);
  for (const text of ["", raw.slice(4), `AAAA${KEY.slice(4)}`, "no base64 at all, that is only a sentence"])
    expect(parsePublicKey(text)).toBeNull();
});

it("the page about it and the shipped file name every key and every word", () => {
  const page = readFileSync(new URL("../../../docs/policy.md", import.meta.url), "utf8");
  for (const key of ["commands.remote", "commands.public_key", "allow.local", "allow.NAME"])
    expect(page).toContain(`| \`${key}\` |`);
  for (const name of ["remote =", "public_key =", "minutes_apart =", "a_day =", ...SOURCES])
    expect(SHIPPED).toContain(name);
  for (const word of POLICY_WORDS) {
    expect(page).toContain(`\`${word}\``);
    expect(SHIPPED).toMatch(new RegExp(`^# .*\\b${word}\\b`, "m"));
  }
});
