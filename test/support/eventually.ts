/** Waiting for what comes by itself, such as another process, for as long as a busy machine may take. */
import { vi } from "vitest";

/** Against hangs only, and below vitest's own time-out so that the failure names the line. */
const PATIENCE_MS = 40_000;

/**
 * What `holds` gives, as soon as that is neither false nor nothing.
 * @throws Error when it never is, or what `holds` throws
 */
export async function eventually<T>(holds: () => T | Promise<T>, { intervalMs = 20 } = {}): Promise<T> {
  return (await vi.waitUntil(holds, { timeout: PATIENCE_MS, interval: intervalMs })) as T;
}
