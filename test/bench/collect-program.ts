/**
 * A program of its own, under the ship flags: every collector, round after round as the daemon keeps them, nothing
 * else; and as often with collectors that have seen nothing yet, as in the first round of a daemon. Prints JSON.
 */
import { allCollectors } from "../../src/collectors/index.ts";
import { hostMachine } from "../../src/system/machine.ts";

const ROUNDS = 100;
const WARM_UP = 5;

async function main(): Promise<void> {
  const first = await rounds(allCollectors);
  const collectors = allCollectors();
  process.stdout.write(JSON.stringify({ ...(await rounds(() => collectors)), first: first.cpu }));
}

async function rounds(collectors: () => ReturnType<typeof allCollectors>) {
  const machine = hostMachine();
  const kept = new Map<string, unknown>();
  const each: Record<string, number> = {};
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const all = collectors();
    const before = process.cpuUsage();
    const from = performance.now();
    for (const { name, collect } of all) {
      const start = performance.now();
      await collect({
        machine,
        options: {},
        signal: AbortSignal.timeout(10_000),
        memory: { get: () => kept.get(name) ?? null, set: (value) => void kept.set(name, value) },
      });
      if (round >= WARM_UP) each[name] = (each[name] ?? 0) + (performance.now() - start) / ROUNDS;
    }
    if (round < WARM_UP) continue;
    wall.push(performance.now() - from);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
  }
  return { wall, cpu, each };
}

void main();
