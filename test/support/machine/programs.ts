/** Fake programs of the trade (ipmitool, lldpcli): shell scripts in a folder, run by the real `runProgram`. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunProgram, runProgram } from "../../../src/system/program.ts";
import { temporaryFolder } from "./tree.ts";

export interface FakePrograms {
  readonly folder: string;
  /** Runs programs from the folder only: what is not there is not installed. Time-outs are cut to `limitMs`. */
  readonly run: RunProgram;
  /** A script in place of a program; `mode` 0o644 for one that may not be run. */
  put(name: string, script: string, mode?: number): void;
  /** Argument lines of all calls so far. */
  calls(): string[];
  /** What the children were given besides PATH and LC_ALL. */
  environments(): Record<string, string>[];
}

/** What a fake answers to one argument line. */
export interface FakeAnswer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly status?: number;
  /** Never ends, after what it printed. */
  readonly hangs?: boolean;
}

export function fakePrograms(limitMs = 10_000): FakePrograms {
  const folder = temporaryFolder();
  const log = join(folder, "calls.log");
  const environments: Record<string, string>[] = [];
  return {
    folder,
    run(argv, options) {
      const [program, ...rest] = argv;
      environments.push({ ...options.env });
      return runProgram([join(folder, program), ...rest], {
        ...options,
        timeoutMs: Math.min(options.timeoutMs, limitMs),
      });
    },
    put(name, script, mode = 0o755) {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$*" >> '${log}'\n${script}\n`);
      chmodSync(path, mode);
    },
    calls: () => (existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []),
    environments: () => environments,
  };
}

/** A program that knows some argument lines and says so of all others. */
export function answering(programs: FakePrograms, name: string, answers: Record<string, FakeAnswer>): void {
  const cases = Object.entries(answers).map(([line, answer], index) => {
    const [out, err] = [
      join(programs.folder, `${name}.${index}.out`),
      join(programs.folder, `${name}.${index}.err`),
    ];
    writeFileSync(out, answer.stdout ?? "");
    writeFileSync(err, answer.stderr ?? "");
    const end = answer.hangs === true ? "exec sleep 600" : `exit ${answer.status ?? 0}`;
    return `"${line}") cat '${out}'; cat '${err}' >&2; ${end};;`;
  });
  programs.put(name, `case "$*" in\n${cases.join("\n")}\n*) echo "unknown: $*" >&2; exit 1;;\nesac`);
}
