/** One combination of the crash matrix, from its first life until nothing is left to be done. */
import { rmSync } from "node:fs";
import { loseUnsynced } from "./disk.ts";
import type { Life, Pool } from "./pool.ts";
import {
  type CommandKind,
  type Job,
  type Kill,
  type LogLine,
  type Mutant,
  places,
  type Redelivery,
  type ServerMode,
} from "./types.ts";
import { boot, makeWorld, readLog } from "./world.ts";

/**
 * same: the host stays on. stays: and one that was going down gives it up. new: it restarts. lost: it restarts and what
 * was not fsynced is gone; only with a boot, because the page cache outlives a process that is killed.
 */
export type After = "same" | "stays" | "new" | "lost";

export interface Combination {
  readonly kind: CommandKind;
  /** One process for both. */
  readonly together: boolean;
  readonly server: ServerMode;
  readonly redelivery: Redelivery;
  /** Null: nobody is killed, and every point is noted. */
  readonly crash: { readonly life: number; readonly kill: Kill; readonly after: After } | null;
  /** The life after the crash is killed too, at its so-manieth point; the boot stays. */
  readonly second: number | null;
  readonly mutant?: Mutant;
}

export interface Outcome {
  readonly log: readonly LogLine[];
  readonly lives: number;
  /** Whether it came by the point where it was to be killed. */
  readonly reached: boolean;
}

const MOST_LIVES = 12;
/** No point is called so: the process neither dies nor notes its points. */
const NEVER: Kill = { at: "never", victims: [] };

/** @throws Error when it does not come to an end, or a process ends by anything but SIGKILL */
export async function runCombination(pool: Pool, world: string, one: Combination): Promise<Outcome> {
  makeWorld(world);
  const { kind, together, server, redelivery, crash, mutant = "none" } = one;
  const job = { world, kind, together, server, redelivery, mutant, copies: crash?.after === "lost" };
  const count = (what: LogLine["kind"]): number => readLog(world).filter((line) => line.kind === what).length;
  let [boots, downs, kills] = [1, 0, 0];
  let helper: Keeper | null = null;

  function start(role: Job["role"], life: number): Life {
    const next = one.second === null ? NEVER : { at: one.second, victims: ["main", "helper"] as const };
    const kill =
      crash === null ? null : life === crash.life ? crash.kill : life === crash.life + 1 ? next : NEVER;
    return pool.live({ ...job, role, life, kill: role === "helper" && kill === next ? NEVER : kill });
  }
  /** The host is gone, or about to be: nobody starts anything there. */
  function isHostGone(): boolean {
    const afterKill = crash?.after === "new" || crash?.after === "lost";
    return count("down") > downs || (kills === 0 && afterKill && count("killed") > 0);
  }
  async function serve(life: number): Promise<Keeper> {
    const keeper = keepHelper((again) => {
      rmSync(places(world).socket, { force: true });
      return again ? pool.live({ ...job, role: "helper", life, kill: NEVER }) : start("helper", life);
    }, isHostGone);
    await keeper.ready;
    return keeper;
  }

  for (let life = 1; life <= MOST_LIVES; life++) {
    if (!together) helper ??= await serve(life);
    const main = start("main", life);
    const said = await main.next();
    if ("done" in said) {
      main.release();
      kills = count("killed");
      if (said.done.pending > 0) continue;
      await helper?.end(false);
      return { log: readLog(world), lives: life, reached: crash === null || kills > 0 };
    }
    if (!("killed" in said)) {
      await helper?.end(true);
      throw new Error(JSON.stringify(said));
    }
    const isDown = count("down") > downs;
    const after: After = isDown ? "new" : kills === 0 ? (crash?.after ?? "same") : "same";
    [downs, kills] = [count("down"), count("killed")];
    if (after === "stays") rmSync(places(world).stopping, { force: true });
    if (after === "same" || after === "stays") continue;
    await helper?.end(true);
    helper = null;
    if (after === "lost") loseUnsynced(world);
    boot(world, ++boots);
  }
  await helper?.end(true);
  throw new Error(`not over after ${MOST_LIVES} lives`);
}

interface Keeper {
  /** It listens, or died before it did. */
  readonly ready: Promise<void>;
  end(killing: boolean): Promise<void>;
}

/** A helper, and the next one when it is killed, as a service manager does it. */
function keepHelper(start: (again: boolean) => Life, isHostGone: () => boolean): Keeper {
  const ready = Promise.withResolvers<void>();
  let life = start(false);
  let ending = false;
  const loop = (async () => {
    for (;;) {
      const said = await life.next();
      if ("listening" in said) {
        ready.resolve();
        continue;
      }
      if ("stopped" in said) return life.release();
      if (!("killed" in said)) throw new Error(JSON.stringify(said));
      ready.resolve();
      if (ending || isHostGone()) return;
      life = start(true);
    }
  })();
  loop.catch(ready.reject);
  return {
    ready: ready.promise,
    async end(killing) {
      ending = true;
      if (killing) life.kill();
      else life.stop();
      await loop;
    },
  };
}
