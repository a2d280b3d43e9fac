/** Fake programs of the trade (ipmitool, lldpcli): shell scripts in a folder, run by the real `runProgram`. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunProgram, runProgram } from "../../../src/system/program.ts";
import { temporaryFolder } from "./tree.ts";

export interface PutOptions {
  /** 0o644 for one that may not be run. */
  readonly mode?: number;
  /** Whether it never ends when it is called with these arguments. */
  readonly hangs?: (line: string) => boolean;
}

export interface FakePrograms {
  readonly folder: string;
  /** Runs programs from the folder only: what is not there is not installed. What hangs is ended after `limitMs`. */
  readonly run: RunProgram;
  /** A script in place of a program. */
  put(name: string, script: string, more?: PutOptions): void;
  /** Argument lines of all calls so far, also of one that was ended before it said a word. */
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
  const calls: { readonly line: string }[] = [];
  const hanging = new Map<string, (line: string) => boolean>();
  const environments: Record<string, string>[] = [];
  return {
    folder,
    async run(argv, options) {
      const [program, ...rest] = argv;
      environments.push({ ...options.env });
      const call = { line: rest.join(" ") };
      calls.push(call);
      const isEnded = hanging.get(program)?.(call.line) === true;
      const timeoutMs = isEnded ? Math.min(options.timeoutMs, limitMs) : options.timeoutMs;
      try {
        return await runProgram([join(folder, program), ...rest], { ...options, timeoutMs });
      } catch (error) {
        calls.splice(calls.indexOf(call), 1); // it did not even begin
        throw error;
      }
    },
    put(name, script, { mode = 0o755, hangs = () => false } = {}) {
      hanging.set(name, hangs);
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\n${script}\n`);
      chmodSync(path, mode);
    },
    calls: () => calls.map(({ line }) => line),
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
  programs.put(name, `case "$*" in\n${cases.join("\n")}\n*) echo "unknown: $*" >&2; exit 1;;\nesac`, {
    hangs: (line) => answers[line]?.hangs === true,
  });
}
