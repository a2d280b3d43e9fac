/** Where what is printed can't go: one sentence and 1, for every sub-command; a reader that left is no error. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { daemon } from "../support/agent/daemon.ts";

const SOURCE = new URL("../../src/", import.meta.url).href;

/** Each line in one process whose stdout is this file; what it prints on stderr is `CODE LINE: what was said`. */
async function printed(
  lines: readonly (readonly string[])[],
  path: string,
  alsoStderr = false,
): Promise<string> {
  const program = `
    const { processIo } = await import("${SOURCE}cli/output.ts");
    const { runCommandLine } = await import("${SOURCE}cli/usage.ts");
    const { COMMANDS } = await import("${SOURCE}cli/commands.ts");
    const io = processIo(new AbortController().signal);
    const told = [];
    for (const line of ${JSON.stringify(lines)}) {
      let said = "";
      const stderr = (text) => { ${alsoStderr ? "io.stderr(text);" : ""} said += text; };
      // The getters of the real one are kept: only what it says elsewhere is overheard.
      const heard = Object.create(io, { stderr: { value: stderr } });
      told.push([await runCommandLine(COMMANDS, line, heard), line.join(" "), said]);
    }
    process.send(told, () => process.disconnect());
  `;
  const full = openSync(path, "w");
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", full, alsoStderr ? full : "inherit", "ipc"],
  });
  closeSync(full);
  let told: [number, string, string][] = [];
  child.on("message", (message) => {
    told = message as typeof told;
  });
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
  return told.map(([exit, line, said]) => `${exit} ${line}: ${said}`).join("");
}

const SENTENCE = "foundry-agent: the output can't be written: there is no space left where it goes.\n";

it("a full disk is told once and exits with 1, whatever was asked", async () => {
  const { controlSocket } = await daemon({ registered: "test" });
  const asked = [
    ..."status|status --json|status --watch|report|report system|drives|drives --json|drives sda|network|events --since all|why|why smart|commands|commands --json|check|collect system|sync|hold --reason x|release|reboot --dry-run --test|diagnostics -o -"
      .split("|")
      .map((line) => [...line.split(" "), "--socket", controlSocket]),
    ["version"],
    ["--help"],
    ["config", "show"],
    ...Object.keys(COMMANDS).map((name) => ["help", name]),
  ];
  const expected = asked.map((line) => `1 ${line.join(" ")}: ${SENTENCE}`).join("");
  expect(await printed(asked, "/dev/full")).toBe(expected);
});

it("where stderr is full too nothing is thrown, and the code is the same", async () => {
  expect(await printed([["version"], ["nonsense"]], "/dev/full", true)).toMatch(
    /^1 version: .*\n2 nonsense: .*\n$/,
  );
});
