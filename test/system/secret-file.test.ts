import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AgentError } from "../../src/model/errors.ts";
import { MAX_SECRET_BYTES, readSecretFile, secretPath } from "../../src/system/secret-file.ts";
import { runUnprivileged } from "../support/agent/unprivileged.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

const UID = process.geteuid?.() ?? 0;
const CANARY = "nf_sk_live_Canary0123456789";

function secret(content: string | Uint8Array, mode: number): string {
  const file = join(temporaryFolder(), "secret");
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

/** The error of a refusal, which must never show the secret. */
function refusal(reference: string, reader?: Parameters<typeof readSecretFile>[1]): AgentError {
  try {
    readSecretFile(reference, reader);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    expect(`${error.message} ${error.nextStep} ${error.stack}`).not.toContain("Canary");
    return error;
  }
  throw new Error("it was read");
}

describe("readSecretFile", () => {
  it.each([0o600, 0o400, 0o640, 0o440])("reads a file of mode %o, trimmed", (mode) => {
    expect(readSecretFile(secret(`  ${CANARY}\n\n`, mode))).toBe(CANARY);
  });

  it.each([0o644, 0o604, 0o666, 0o601, 0o642])("refuses mode %o: others can reach it", (mode) => {
    const file = secret(CANARY, mode);
    expect(refusal(file)).toMatchObject({
      code: "secret_exposed",
      message: expect.stringContaining("every user"),
    });
  });

  it("refuses a file its group can write", () => {
    expect(refusal(secret(CANARY, 0o660)).code).toBe("secret_exposed");
  });

  it("gives the line that mends it: the service's below /etc, else that of whom reads it", () => {
    const readable = "/etc/passwd"; // root's, and every user can read it; nothing is done to it
    expect(refusal(readable).nextStep).toBe(`chown root:foundry-agent ${readable} && chmod 0640 ${readable}`);
    const file = secret(CANARY, 0o644);
    if (UID === 0) {
      expect(refusal(file).nextStep).toBe(`chown 0 ${file} && chmod 0600 ${file}`);
      chownSync(file, 1234, 1234);
    }
    const uid = UID === 0 ? 1234 : UID;
    expect(refusal(file, { env: {}, uid }).nextStep).toBe(`chown ${uid} ${file} && chmod 0600 ${file}`);
  });

  it("quotes a path with blanks in that line", () => {
    const file = join(temporaryFolder(), "it's mine");
    writeFileSync(file, CANARY);
    chmodSync(file, 0o644);
    expect(refusal(file).nextStep).toContain("it'\\''s mine'");
    const quoted = /chmod 06[04]0 (.*)$/.exec(refusal(file).nextStep ?? "")?.[1] ?? "";
    expect(execFileSync("sh", ["-c", `printf %s ${quoted}`], { encoding: "utf8" })).toBe(file);
  });

  it("refuses a file of another user, who could read and change it", () => {
    // Seen as another user would see a file of ours; root's files are fine for everybody.
    const file = secret(CANARY, 0o600);
    if (UID === 0) chownSync(file, 1234, 1234);
    expect(refusal(file, { env: {}, uid: 4321 }).message).toContain("belongs to another user");
    if (UID === 0) expect(readSecretFile(secret(CANARY, 0o600), { env: {}, uid: 4321 })).toBe(CANARY);
  });

  it("follows links, and judges what is at their end", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "..data"));
    writeFileSync(join(folder, "..data/token"), CANARY, { mode: 0o600 });
    symlinkSync("..data/token", join(folder, "token"));
    expect(readSecretFile(join(folder, "token"))).toBe(CANARY);
    chmodSync(join(folder, "..data/token"), 0o644);
    expect(refusal(join(folder, "token")).code).toBe("secret_exposed");
  });

  it("never waits for a FIFO, and takes no folder or device", () => {
    const fifo = join(temporaryFolder(), "fifo");
    execFileSync("mkfifo", ["-m", "600", fifo]);
    for (const path of [fifo, temporaryFolder(), "/dev/null"])
      expect(refusal(path)).toMatchObject({
        code: "secret_unreadable",
        message: expect.stringContaining("is no regular file"),
      });
  });

  it("says what is missing, empty, too large or not allowed", () => {
    const gone = join(temporaryFolder(), "gone");
    expect(refusal(gone)).toMatchObject({
      code: "secret_missing",
      message: `${gone} does not exist`,
      nextStep: `install -m 0600 /dev/stdin ${gone}  # and paste the secret, then Ctrl-D`,
    });
    expect(refusal("/etc/foundry-agent/no-such.key").nextStep).toBe(
      "install -m 0640 -g foundry-agent /dev/stdin /etc/foundry-agent/no-such.key  # and paste the secret, then Ctrl-D",
    );
    expect(refusal(join(secret("x", 0o600), "below")).code).toBe("secret_missing");
    expect(refusal(secret(" \n", 0o600)).message).toContain("is empty");
    expect(readSecretFile(secret("x".repeat(MAX_SECRET_BYTES), 0o600))).toHaveLength(MAX_SECRET_BYTES);
    expect(refusal(secret("x".repeat(MAX_SECRET_BYTES + 1), 0o600)).message).toContain("65537 bytes");
    expect(refusal("/tmp/\0")).toMatchObject({ code: "secret_unreadable" });
  });

  it("says what to type when it may not be read", async () => {
    const file = secret(CANARY, 0o000);
    if (UID === 0) {
      // Root reads everything: ask as somebody else, in a process of its own.
      chmodSync(join(file, ".."), 0o755);
      const { stdout } = await runUnprivileged({
        before: "const { readSecretFile } = await import(process.argv[1]);",
        script:
          "try { readSecretFile(process.argv[2]); } catch (error) { console.log(error.code, error.nextStep); }",
        args: [new URL("../../src/system/secret-file.ts", import.meta.url).href, file],
      });
      expect(stdout.trim()).toBe(`secret_unreadable chown 65534 ${file} && chmod 0600 ${file}`);
    } else
      expect(refusal(file)).toMatchObject({
        code: "secret_unreadable",
        nextStep: expect.stringContaining("chmod"),
      });
  });
});

describe("systemd credentials", () => {
  it("are found where systemd put them", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "nodefoundry-key"), `${CANARY}\n`, { mode: 0o400 });
    const reader = { env: { CREDENTIALS_DIRECTORY: folder }, uid: UID };
    expect(readSecretFile("credential:nodefoundry-key", reader)).toBe(CANARY);
    expect(refusal("credential:other", reader).code).toBe("secret_missing");
  });

  it("say how to give them when there are none", () => {
    expect(refusal("credential:key", { env: {}, uid: UID })).toMatchObject({
      code: "secret_missing",
      nextStep: expect.stringContaining("LoadCredential=key:"),
    });
  });

  it("can't leave their folder", () => {
    const env = { CREDENTIALS_DIRECTORY: "/run/credentials/x" };
    expect(secretPath("credential:a.b-c_1", env)).toBe("/run/credentials/x/a.b-c_1");
    for (const reference of ["credential:../x", "credential:..", "credential:", "/etc/x"])
      expect(secretPath(reference, env)).toBe(reference);
  });
});
