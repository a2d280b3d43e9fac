import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SIGN_OPTIONS, signCommand } from "../../../src/cli/commands/sign.ts";
import type { SubCommand } from "../../../src/cli/usage.ts";
import { signatureProblem } from "../../../src/commands/signature.ts";
import { parseCommands } from "../../../src/control/command-document.ts";
import { parsePolicy } from "../../../src/helper/policy/policy.ts";
import { verifiedCommand } from "../../../src/helper/policy/signed-command.ts";
import { signedTextOf } from "../../../src/model/signed-text.ts";
import { NOON, signer } from "../../support/helper/signing.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { runCli } from "../../support/text/io.ts";

const sign: SubCommand = {
  name: "sign",
  summary: "",
  usage: "",
  options: { ...SIGN_OPTIONS },
  examples: [],
  run: async ({ values }, io) => signCommand(values, io),
};
const run = (...argv: string[]) => runCli([sign], ["sign", ...argv], { now: () => NOON });
const KEY = signer();

function keyFile(text: string, mode = 0o600): string {
  const path = join(temporaryFolder(), "key");
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}
const reboot = (file: string, ...more: string[]) =>
  run("--key", file, "--node", "node_a", "--type", "reboot", ...more);

describe("commands sign", () => {
  it("prints a command that a node takes, and its helper too", async () => {
    const { code, stdout, stderr } = await reboot(
      keyFile(KEY.privateKeyPem),
      ...["--param", "method=hard", "--param", "drain_osds=false", "--param", 'note="two words"'],
    );
    expect([code, stderr]).toEqual([0, ""]);
    const { signature, ...command } = JSON.parse(stdout);
    expect(command).toEqual({
      id: expect.stringMatching(/^cmd_[0-9A-HJKMNP-TV-Z]{26}$/),
      node_id: "node_a",
      mode: "live",
      type: "reboot",
      params: { method: "hard", drain_osds: false, note: "two words" },
      epoch: "signed",
      seq: NOON,
      issued_at: "2026-11-21T12:00:00.000Z",
      expires_at: "2026-11-21T13:00:00.000Z",
    });
    expect(verifiedCommand({ text: signedTextOf(command), signature }, KEY.publicKey).id).toBe(command.id);
    // Delivered by a control API, as it was printed.
    const { commands, rejected } = parseCommands([JSON.parse(stdout)], {
      nodeId: "node_a",
      mode: "live",
      source: "local",
    });
    expect(rejected).toEqual([]);
    const [taken] = commands;
    if (taken === undefined) throw new Error("it was not read");
    const now = { atLeast: NOON, exact: true };
    expect(signatureProblem(taken, { publicKey: KEY.publicKey, nodeId: "node_a", now })).toBeNull();
  });

  it("takes id, mode and time; every id is a new one", async () => {
    const file = keyFile(KEY.privateKeyPem);
    const { stdout } = await reboot(file, "--id", "cmd_mine", "--mode", "test", "--expires", "2d");
    expect(JSON.parse(stdout)).toMatchObject({
      id: "cmd_mine",
      mode: "test",
      params: {},
      expires_at: "2026-11-23T12:00:00.000Z",
    });
    const ids = await Promise.all([1, 2, 3].map(async () => JSON.parse((await reboot(file)).stdout).id));
    expect(new Set(ids).size).toBe(3);
  });

  it("takes the 32 bytes of a key as well", async () => {
    const seed = createPrivateKey(KEY.privateKeyPem).export({ type: "pkcs8", format: "der" }).subarray(-32);
    const { stdout } = await reboot(keyFile(`${seed.toString("base64")}\n`));
    const { signature, ...command } = JSON.parse(stdout);
    expect(verifiedCommand({ text: signedTextOf(command), signature }, KEY.publicKey).nodeId).toBe("node_a");
  });

  it.each([
    ["no key", ["--node", "n", "--type", "reboot"]],
    ["no node", ["--key", "KEY", "--type", "reboot"]],
    ["a node that is no id", ["--key", "KEY", "--node", "a b", "--type", "reboot"]],
    ["no type", ["--key", "KEY", "--node", "n"]],
    ["a type that is none", ["--key", "KEY", "--node", "n", "--type", "Re-boot"]],
    ["an id that is none", ["--key", "KEY", "--node", "n", "--type", "reboot", "--id", "../x"]],
    ["another mode", ["--key", "KEY", "--node", "n", "--type", "reboot", "--mode", "dry"]],
    ["a time without a unit", ["--key", "KEY", "--node", "n", "--type", "reboot", "--expires", "60"]],
    ["no time at all", ["--key", "KEY", "--node", "n", "--type", "reboot", "--expires", "0h"]],
    ["more than 14 days", ["--key", "KEY", "--node", "n", "--type", "reboot", "--expires", "15d"]],
    ["a param without a value", ["--key", "KEY", "--node", "n", "--type", "reboot", "--param", "method"]],
    ["half JSON", ["--key", "KEY", "--node", "n", "--type", "reboot", "--param", "osd_ids=[1,"]],
    [
      "a param twice",
      ["--key", "KEY", "--node", "n", "--type", "reboot", "--param", "a=1", "--param", "a=2"],
    ],
    ["a key to make and one to sign with", ["--make-key", "NEW", "--node", "n"]],
  ])("%s: a mistake on the command line, and nothing is signed", async (_name, argv) => {
    const file = keyFile(KEY.privateKeyPem);
    const fresh = `${file}.new`;
    const { code, stdout, stderr } = await run(
      ...argv.map((word) => (word === "KEY" ? file : word === "NEW" ? fresh : word)),
    );
    expect([code, stdout, existsSync(fresh)]).toEqual([2, "", false]);
    expect(stderr).toMatch(/^foundry-agent: .+ Next: .+\n$/);
  });

  it("a value that no canonical JSON has is refused", async () => {
    const { code, stdout, stderr } = await reboot(keyFile(KEY.privateKeyPem), "--param", "n=1e400");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("Infinity is no number of JSON");
  });

  it("refuses a key that others can read, that is missing or is none, and shows nothing of it", async () => {
    const open = keyFile(KEY.privateKeyPem, 0o644);
    expect((await reboot(open)).stderr).toMatch(
      /every user of this host can reach .* Next: chown \d+ \S+ && chmod 0600/,
    );
    expect((await reboot("/nowhere/key")).stderr).toContain(
      "/nowhere/key does not exist. Next: foundry-agent commands sign --make-key /nowhere/key",
    );
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const locked = createPrivateKey(KEY.privateKeyPem).export({
      ...{ type: "pkcs8", format: "pem" },
      ...{ cipher: "aes-256-cbc", passphrase: "x" },
    } as Parameters<typeof rsa.export>[0]);
    for (const text of [
      "hunter2",
      rsa.export({ type: "pkcs8", format: "pem" }).toString(),
      String(locked),
      KEY.publicKey,
      `-----BEGIN PUBLIC KEY-----\n${KEY.publicKey}\n-----END PUBLIC KEY-----\n`,
    ]) {
      const { code, stdout, stderr } = await reboot(keyFile(text));
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(
        /holds no Ed25519 private key .* Next: foundry-agent commands sign --make-key fleet.pem/,
      );
      expect(stderr).not.toContain(text.slice(0, 20));
    }
  });
});

describe("commands sign --make-key", () => {
  it("writes a private key for its owner alone and prints the policy's line; what it signs holds", async () => {
    const file = join(temporaryFolder(), "signing.pem");
    const { code, stdout, stderr } = await run("--make-key", file);
    expect(code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(stdout).toMatch(/^public_key = "[A-Za-z0-9+/]{59}="\n$/);
    expect(stdout + stderr).not.toContain("PRIVATE");
    const { publicKey } = parsePolicy("p", `[commands]\n${stdout}`);
    const { signature, ...command } = JSON.parse((await reboot(file)).stdout);
    expect(verifiedCommand({ text: signedTextOf(command), signature }, publicKey ?? "").type).toBe("reboot");
  });

  it("never overwrites a file, and says where it can't write", async () => {
    const file = keyFile("mine");
    const { code, stderr } = await run("--make-key", file);
    expect(code).toBe(1);
    expect(stderr).toContain("is there already, and a key is never overwritten");
    expect(readFileSync(file, "utf8")).toBe("mine");
    expect((await run("--make-key", "/nowhere/key")).stderr).toMatch(
      /can't be written: there is no such file or folder\. Next: ls -ld /,
    );
  });
});
