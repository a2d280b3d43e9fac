import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { errorLine, exitCodeOf, wantsColor } from "../../src/cli/output.ts";
import { AgentError } from "../../src/model/errors.ts";

it("errors are one line: a sentence and what to type next", () => {
  expect(errorLine(new AgentError("x", "it is gone.", null))).toBe("foundry-agent: it is gone.");
  expect(errorLine(new AgentError("x", "token nf_nt_abc\n\u001b[0m is bad", "reset"))).toBe(
    "foundry-agent: token nf_nt_[hidden] ?[0m is bad. To do: reset",
  );
});

it("a command that is not taken is refused, also for want of room", () => {
  const code = (word: string) => exitCodeOf(new AgentError(word, "it is not taken", null));
  expect(["too_many_commands", "journal_full", "expired", "collector_failed"].map(code)).toEqual([
    4, 4, 4, 1,
  ]);
});

it("colour is for terminals whose owner did not decline it", () => {
  expect(wantsColor(true, {})).toBe(true);
  expect(wantsColor(true, { NO_COLOR: "" })).toBe(true);
  expect(wantsColor(true, { NO_COLOR: "1" })).toBe(false);
  expect(wantsColor(true, { TERM: "dumb" })).toBe(false);
  expect(wantsColor(false, {})).toBe(false);
});

it("a reader that goes away ends the command quietly, through its signal", () => {
  const url = new URL("../../src/cli/output.ts", import.meta.url).href;
  const program = `
    const { processIo } = await import(${JSON.stringify(url)});
    const io = processIo(new AbortController().signal);
    const line = "x".repeat(4096) + "\\n";
    while (!io.signal.aborted) { io.stdout(line); await new Promise(setImmediate); }
    io.stdout("dropped");
    io.stderr("ended\\n");
  `;
  const child = spawnSync(
    "sh",
    [
      "-c",
      '{ "$0" --input-type=module -e "$1"; echo "code $?" >&2; } | head -c 10',
      process.execPath,
      program,
    ],
    {
      encoding: "utf8",
    },
  );
  expect(child.stdout).toBe("x".repeat(10));
  expect(child.stderr).toBe("ended\ncode 0\n");
});
