/** Waiting for a state of the emulated machine: looked for five times a second, and never for ever. */
import { setTimeout as sleep } from "node:timers/promises";

/** @param what named in the error. @param probe null: not yet. @throws Error when it is not there after `seconds` */
export async function until<T>(
  what: string,
  seconds: number,
  probe: () => Promise<T | null> | T | null,
): Promise<T> {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const found = await probe();
    if (found !== null) return found;
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await sleep(200);
  }
}
