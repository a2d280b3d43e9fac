/**
 * Child process of live.test.ts: gives up root where it has it, collects everything on this machine, and
 * prints `{ uid, sections }` as JSON. All modules are loaded before, because an unprivileged user may not
 * be allowed to look into the checkout.
 */
import { type AnyCollector, allCollectors } from "../../../src/collectors/index.ts";
import { hostMachine } from "../../../src/system/machine.ts";

const NOBODY = 65534;

async function collect(collector: AnyCollector): Promise<unknown> {
  let kept: unknown = null;
  return await collector.collect({
    machine: hostMachine(),
    options: {},
    signal: AbortSignal.timeout(30_000),
    memory: {
      get: () => kept,
      set: (value) => {
        kept = value;
      },
    },
  });
}

if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(NOBODY);
  process.setuid?.(NOBODY);
}
const sections: Record<string, unknown> = {};
for (const collector of allCollectors()) sections[collector.name] = await collect(collector);
process.stdout.write(JSON.stringify({ uid: process.geteuid?.(), sections }));
