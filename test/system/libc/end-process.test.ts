import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../support/machine/tree.ts";

const MODULE = fileURLToPath(new URL("../../../src/system/libc/end-process.ts", import.meta.url));

/** A process that waits for a FIFO nobody writes to, as for a drive that does not answer, and then ends. */
async function ended(flags: string[], code: number) {
  const fifo = join(temporaryFolder(), "hangs");
  execFileSync("mkfifo", [fifo]);
  const script = `
    import { open } from "node:fs/promises";
    import { endProcess } from ${JSON.stringify(MODULE)};
    open(${JSON.stringify(fifo)}, "r").catch(() => undefined);
    setTimeout(() => endProcess(${code}, 50), 50);`;
  const args = [...flags, "--no-warnings", "--input-type=module", "-e", script];
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return await new Promise((resolve) =>
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal })),
  );
}

test("a process with a read that never comes back ends with its code", async () => {
  expect(await ended([], 0)).toEqual({ exitCode: 0, signal: null });
  expect(await ended([], 3)).toEqual({ exitCode: 3, signal: null });
});

test("without the C library it ends all the same", async () => {
  expect(await ended(["--no-experimental-ffi"], 0)).toEqual({ exitCode: null, signal: "SIGKILL" });
});
