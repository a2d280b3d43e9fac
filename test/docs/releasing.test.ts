/** Every line of docs/releasing.md that signs or verifies is typed here, with a throw-away key, as it stands there. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/machine/tree.ts";

const page = readFileSync(new URL("../../docs/releasing.md", import.meta.url), "utf8");
const [makeKey = "", sign = "", verify = ""] = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(
  ([, lines]) => lines ?? "",
);

/** A folder with a release of one file, signed. */
function released(): { folder: string; type: (lines: string) => { status: number | null; said: string } } {
  const folder = temporaryFolder();
  const type = (lines: string): { status: number | null; said: string } => {
    // Stands in for the person who types the passphrase.
    const env = { ...process.env, SSH_ASKPASS: join(folder, "askpass"), SSH_ASKPASS_REQUIRE: "force" };
    const { status, stdout, stderr } = spawnSync("sh", ["-euc", lines], {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    return { status, said: stdout + stderr };
  };
  writeFileSync(join(folder, "askpass"), "#!/bin/sh\necho throw-away\n");
  chmodSync(join(folder, "askpass"), 0o755);
  const content = "an executable";
  writeFileSync(join(folder, "foundry-agent-linux-x64"), content);
  const sum = createHash("sha256").update(content).digest("hex");
  const other = createHash("sha256").update("not downloaded").digest("hex");
  writeFileSync(
    join(folder, "SHA256SUMS"),
    `${other}  foundry-agent-linux-arm64\n${sum}  foundry-agent-linux-x64\n`,
  );
  expect(type(makeKey)).toEqual({ status: 0, said: "" });
  expect(type(sign).status).toBe(0);
  return { folder, type };
}

const has = spawnSync("ssh-keygen", ["-Y", "verify"], { input: "" }).error === undefined;

describe.runIf(has)("a release", () => {
  it("is signed and verified by the lines of the page, and the key has a passphrase", () => {
    const { folder, type } = released();
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(["SHA256SUMS.sig", "allowed_signers"]));
    const { status, said } = type(verify);
    expect(said).toContain('Good "foundry-agent" signature for releases@foundry-agent');
    expect(said).toContain("foundry-agent-linux-x64: OK");
    expect(status).toBe(0);
    expect(type("ssh-keygen -y -P '' -f release-key").status).not.toBe(0);
  });

  it("with another file, another list or another key is not taken", () => {
    const file = released();
    writeFileSync(join(file.folder, "foundry-agent-linux-x64"), "something else");
    expect(file.type(verify).status).not.toBe(0);

    const list = released();
    writeFileSync(join(list.folder, "SHA256SUMS"), `${"0".repeat(64)}  foundry-agent-linux-x64\n`);
    expect(list.type(verify).said).toContain("incorrect signature");

    const key = released();
    const trusted = readFileSync(join(released().folder, "allowed_signers"));
    writeFileSync(join(key.folder, "allowed_signers"), trusted);
    expect(key.type(verify).status).not.toBe(0);
  });
});
