/** A store driven line by line over stdin, run as another user when started by root; see store.ts. */
import { createInterface } from "node:readline";
import { errorCode, errorText } from "../../../src/model/errors.ts";
import { openStore } from "../../../src/store/store.ts";
import type { Store } from "../../../src/store/types.ts";

const NOBODY = 65534;
// Only now, with every module loaded: the checkout may lie where nobody else may read.
if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}
process.umask(0o022);

// Its monotonic clock leaps, so that a disk that failed is tried again at each flush.
let monotonic = 0;
const clock = { now: () => Date.now(), monotonic: () => (monotonic += 60_000) };
let store: Store | null = null;

function evaluate([method, ...args]: string[]): unknown {
  store ??= openStore(process.argv[2] as string, { clock });
  if (method === "mode") return [store.mode, store.problem?.code ?? null];
  if (method === "lost") return store.lost;
  if (method === "values.get") return store.values(args[0] as string).get(args[1] as string);
  if (method === "values.set")
    return store.values(args[0] as string).set(args[1] as string, args[2] as string);
  return (store[method as keyof Store] as unknown as (...args: unknown[]) => unknown)(...args);
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    let answer: unknown;
    try {
      answer = { ok: evaluate(JSON.parse(line)) ?? null };
    } catch (error) {
      answer = { error: { code: errorCode(error), message: errorText(error) } };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  })
  .on("close", () => store?.close());
