/**
 * Random torture: for some minutes a node with the package installed, below a real systemd, is asked for commands and
 * reboots while its parts are killed, its server fails in every way it knows and is restored from backups. Whatever was
 * done to it, each command was done at most once and has one result, everything is told in the end, and nothing is lost.
 *
 * Bounded and repeatable: 5 minutes of one seed. By hand, for longer or from another one (what it prints names its own):
 *
 *     FOUNDRY_TORTURE_MINUTES=60 FOUNDRY_TORTURE_SEED=7 npm run test:lab -- torture
 */
import { rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { seeded } from "../../support/random.ts";
import { openNode, stateFolder } from "../commands/node.ts";
import { bootLacking } from "../nspawn.ts";
import { DEEDS, type Deed, type Scene } from "./deeds.ts";
import { openLedger } from "./ledger.ts";
import { calm, prepare } from "./scene.ts";

const LACKING = bootLacking();
const MINUTES = Number(process.env.FOUNDRY_TORTURE_MINUTES ?? 5);
const SEED = Number(process.env.FOUNDRY_TORTURE_SEED ?? 20_261_130);
/** So many deeds are done on a machine of any speed. */
const LEAST_DEEDS = 60;
const SUITE = "trixie";

test("killed, lied to and restored at random: done once, one result, all of it told", {
  timeout: (MINUTES + 20) * 60_000,
}, async (context) => {
  if (LACKING !== null) return context.skip(LACKING);
  const folder = stateFolder();
  const node = await openNode(SUITE, folder);
  try {
    await prepare(node);
    const ledger = openLedger(node);
    const scene: Scene = { node, ledger, random: seeded(SEED), hasBackup: false, restores: 0 };
    const counts = new Map<string, number>();
    const deeds = weighted(DEEDS);
    let boots = 0;
    const until = performance.now() + MINUTES * 60_000;
    for (let done = 0; done < LEAST_DEEDS || performance.now() < until; done++) {
      if (node.system.isDown()) {
        await node.system.again();
        boots++;
      }
      const deed = deeds[Math.floor(scene.random() * deeds.length)] as Deed;
      const what = await deed.act(scene);
      if (what !== null) counts.set(what, (counts.get(what) ?? 0) + 1);
      ledger.look();
      await pause(scene.random() * 1_500);
    }
    const told = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${count} ${what}`);
    process.stdout.write(`torture: seed ${SEED}, ${MINUTES} min: ${told.join(", ")}\n`);
    const rest = await calm(scene);
    boots += rest.boots;
    ledger.look();

    const { results, problems } = ledger.judge(rest.journal, await node.rebooted(), boots);
    process.stdout.write(`torture: ${boots} boots; ${results}\n`);
    expect(problems).toEqual([]);
    // A torture of which nothing came would pass everything above.
    expect(boots).toBeGreaterThan(0);
    expect(counts.get("kills of the daemon")).toBeGreaterThan(0);
  } finally {
    await node.close();
    rmSync(folder, { recursive: true });
  }
});

function weighted(deeds: readonly Deed[]): Deed[] {
  return deeds.flatMap((deed) => Array.from({ length: deed.weight }, () => deed));
}
