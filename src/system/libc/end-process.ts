/**
 * Ending although a read hangs. A thread that waits for a sick drive can't be called back: with one, Node's
 * event loop never empties, and its `exit` waits for the thread too. systemd would wait as long as
 * TimeoutStopSec= before it kills, which keeps the machine from shutting down for that time.
 */
import { openNative } from "../native.ts";

/** What is still to be written to a pipe, and connections being closed, get this long. */
const GRACE_MS = 2_000;

/**
 * The last call of a process: it ends by itself with `code` as soon as nothing is under way, and is ended
 * when something is that never will be over. Everything must be on the disk by now.
 */
export function endProcess(code: number, graceMs = GRACE_MS): void {
  process.exitCode = code;
  // Not kept waiting for it: the timer fires only where something else keeps the process.
  setTimeout(() => {
    openNative()?.exitAtOnce(code);
    // Without the C library there is no other way; systemd then calls the stop a failure, but it is over.
    process.kill(process.pid, "SIGKILL");
  }, graceMs).unref();
}
