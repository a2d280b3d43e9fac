/** `npm run package` takes minutes of compressing: what is under way is said before it is done. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { NODE, ROOT } from "../../../scripts/paths.mjs";
import { temporaryFolder } from "../../support/machine/tree.ts";

const EXECUTABLE = join(ROOT, "dist/foundry-agent-linux-x64");

it("says what it makes before it is made, and then its name, size and time", async (context) => {
  if (!existsSync(EXECUTABLE)) return context.skip("executables are not built");
  const out = temporaryFolder();
  const args = ["scripts/package/package.mjs", "--arch=x64", "--form=deb,tar", "--quick", `--out=${out}`];
  const making = spawn(NODE, args, { cwd: ROOT });
  let said = "";
  /** What there was when each line came. */
  const there: [string, string[]][] = [];
  making.stdout.on("data", (chunk) => {
    said += String(chunk);
    for (const line of String(chunk).trim().split("\n")) there.push([line, readdirSync(out)]);
  });
  const status = await new Promise((resolve) => making.once("close", resolve));
  expect(status).toBe(0);
  const lines = said.trim().split("\n");
  expect(lines).toEqual([
    "deb for x64: packing \u2026",
    expect.stringMatching(/^foundry-agent_.*\.deb {2}\d+\.\d MB {2}\d+\.\d s$/),
    "tar for x64: packing \u2026",
    expect.stringMatching(/^foundry-agent-.*\.tar\.\w+ {2}\d+\.\d MB {2}\d+\.\d s$/),
  ]);
  const before = (word: string): string[] => there.find(([line]) => line.startsWith(word))?.[1] ?? ["?"];
  expect(before("deb for").filter((name) => name.endsWith(".deb"))).toEqual([]);
  expect(before("tar for").filter((name) => name.includes(".tar"))).toEqual([]);
  const sums = readFileSync(join(out, "SHA256SUMS"), "utf8").trim().split("\n");
  expect(sums).toHaveLength(2);
});

it("says what there is where a form or an architecture is mistyped, and makes nothing", async () => {
  for (const [option, words] of [
    ["--form=rpm", "--form=rpm: there is deb and tar"],
    ["--arch=arm", "--arch=arm: there is x64 and arm64"],
  ] as const) {
    const making = spawn(NODE, ["scripts/package/package.mjs", option, `--out=${temporaryFolder()}`], {
      cwd: ROOT,
    });
    let said = "";
    making.stderr.on("data", (chunk) => {
      said += String(chunk);
    });
    expect([await new Promise((resolve) => making.once("close", resolve)), said]).toEqual([1, `${words}\n`]);
  }
});
