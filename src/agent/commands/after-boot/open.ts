/**
 * What works on this host, seen before a reboot and after it: from the report's sections, a few small files, what the
 * helper knows of systemd's units, the control APIs and the checks of the host's own. And what a reboot has left broken,
 * kept as a condition until it is back.
 */
import { noted, stillGone } from "../../../commands/after-boot/compare.ts";
import {
  type Item,
  type Kind,
  type Picture,
  pictureOf,
  STANDINGS,
} from "../../../commands/after-boot/picture.ts";
import type { AfterBootPort } from "../../../commands/after-boot/verify.ts";
import { regressionText } from "../../../commands/after-boot/words.ts";
import { within } from "../../../commands/executor/waker.ts";
import type { KeyValue } from "../../../control/control-api.ts";
import type { SystemdLook } from "../../../helper/host/systemd-look.ts";
import { AgentError } from "../../../model/errors.ts";
import type { EventDraft } from "../../../model/event.ts";
import type { Machine } from "../../../system/machine.ts";
import type { Health } from "../../conditions/health.ts";
import type { Configured } from "../../configured.ts";
import { excludedFields } from "../../reporting/excluded-fields.ts";
import { itemsOf, sectionOf } from "./items.ts";
import { conditionOf, type Kept, keptOf, nothingToAccept } from "./kept.ts";
import { mountItems } from "./mounts.ts";

export interface AfterBoot extends AfterBootPort {
  /** What PID 1 says; null: nobody can ask it, or it does not say. Never throws. */
  systemd(): Promise<SystemdLook | null>;
  /** A control API has answered. */
  reached(api: string): void;
  /** Once, when the agent is up: what an earlier reboot has left broken is shown again. */
  start(): void;
  /**
   * Somebody on this host says that what the reboot `commandId` has left is meant to be so: it is no condition any more.
   * @param by who, for the event
   * @throws AgentError `nothing_to_ack`
   */
  accept(commandId: string, by: string): void;
  /** Now and then; looks only while something is broken, and then once a minute. */
  ticked(): void;
  /** Ends a look that `ticked` began. */
  stop(): void;
}

export interface AfterBootOptions {
  readonly machine: Machine;
  readonly health: Health;
  readonly emit: (event: EventDraft) => void;
  readonly values: KeyValue;
  readonly running: () => Configured;
}

/** Owner of the conditions, for Health. */
const OWNER = "after_boot";
const CHECKS_OWNER = "checks";
const KEY = "after_boot";
const LOOK_MS = 60_000;
const SYSTEMD_MS = 10_000;
const AGAIN_MS = 60_000;
/** Kept of what is broken; a host on which more is has other worries. */
const MAX_KEPT = 100;
const STARTING: ReadonlySet<string | null> = new Set(["initializing", "starting"]);

export function openAfterBoot({ machine, health, emit, values, running }: AfterBootOptions): AfterBoot {
  const { files, clock } = machine;
  const answered = new Set<string>();
  const stop = new AbortController();
  let looking = false;
  let isWorse = false;
  let lookedAt = 0;

  function apis(): Item[] {
    return running().loops.map(({ api: { name }, status }) => {
      const is = status().lastError !== null ? "not reached" : answered.has(name) ? "reached" : "unknown";
      return { kind: "api", id: name, name, is };
    });
  }

  async function systemd(signal: AbortSignal): Promise<SystemdLook | null> {
    const { helper } = running();
    if (helper.how.kind === "none" || signal.aborted) return null;
    const look = within(signal, SYSTEMD_MS, (own) =>
      helper.call("systemd.look", {}, own, { deadlineMs: SYSTEMD_MS }),
    );
    return (await look.catch(() => null)) as SystemdLook | null;
  }

  /** Loaded when there is one: nothing that runs programs belongs into a daemon at rest. */
  async function checks(last: Picture | null, signal: AbortSignal): Promise<Item[] | null> {
    const { checksDir: folder, checkTimeoutS } = running().config.commands;
    // A laid-out machine has no programs of its own.
    if (files.root !== "/" || files.info(folder) === null) {
      health.set(CHECKS_OWNER, []);
      return [];
    }
    const { findChecks, runChecks } = await import("./checks.ts");
    const options = { folder, owner: 0, timeoutMs: checkTimeoutS * 1_000 };
    const found = findChecks(options);
    health.set(CHECKS_OWNER, found.problems);
    const fine = (last?.items ?? []).filter(({ kind, is }) => kind === "check" && is === STANDINGS.check[0]);
    const kept = fine.filter(({ id }) => found.checks.has(id));
    const wanted = new Set([...found.checks.keys()].filter((name) => !kept.some(({ id }) => id === name)));
    return [...kept, ...(await runChecks(found, wanted, options, signal))];
  }

  /** Mounts are nobody's business where those of the drives are none. */
  function mounts(): Item[] | null {
    const excluded = excludedFields(running().config.report.exclude);
    const probe = { drives: [{ id: "x", mounts: [{ mountpoint: "/probe" }] }] };
    const left = excluded.from({
      ...{ name: "drives", state: "ok", data: probe, reason: null, collectedAt: 0, durationMs: 0 },
    });
    return JSON.stringify(left.data ?? null).includes("/probe") ? mountItems(files) : null;
  }

  /**
   * @param again items whose sections are to be collected first
   * @param wanted whether anybody wants to know of a kind: units start the helper, and checks whatever they run
   */
  async function see(
    again: readonly Pick<Item, "kind" | "id">[],
    last: Picture | null,
    given: AbortSignal,
    wanted: (kind: Kind) => boolean = () => true,
  ): Promise<Picture> {
    return await within(given, LOOK_MS, async (signal) => {
      const { schedule, collectors } = running();
      const known = new Set(collectors.map(({ name }) => name));
      const names = new Set(again.map(sectionOf).filter((name) => name !== null && known.has(name)));
      const collecting = Promise.all([...names].map((name) => schedule.runNow(name as string)));
      const [, units, checked] = await Promise.all([
        unlessOver(collecting, signal),
        wanted("unit") ? systemd(signal) : null,
        wanted("check") ? checks(last, signal) : null,
      ]);
      const found = new Map<Kind, readonly Item[]>([...itemsOf(running().report()), ["api", apis()]]);
      const mounted = mounts();
      if (mounted !== null) found.set("mount", mounted);
      if (units !== null)
        found.set(
          "unit",
          units.failed.map((name): Item => ({ kind: "unit", id: name, name, is: "failed" })),
        );
      if (checked !== null) found.set("check", checked);
      return pictureOf(
        [...found.keys()],
        [...found.values()].flat(),
        units === null || !STARTING.has(units.state),
      );
    });
  }

  /** What was taken out of the configuration, or out of the folder of checks, is not missed. */
  function withoutWhatWasTakenOut(before: Picture, after: Picture): Picture {
    const { collectors, loops } = running();
    const still: Partial<Record<Kind, ReadonlySet<string>>> = {
      section: new Set(collectors.map(({ name }) => name)),
      api: new Set(loops.map(({ api }) => api.name)),
      check: new Set(after.items.filter(({ kind }) => kind === "check").map(({ id }) => id)),
    };
    const gone = before.items.filter(({ kind, id }) => still[kind] !== undefined && !still[kind].has(id));
    return { ...after, items: [...after.items, ...gone] };
  }

  const keptNow = (): Kept | null => keptOf(values.get(KEY));

  function show(kept: Kept | null): void {
    isWorse = kept !== null;
    health.set(OWNER, kept === null ? [] : [conditionOf(kept)]);
  }

  function write(kept: Kept | null): void {
    const text = kept === null ? null : JSON.stringify(kept);
    // Every write is an fsync on somebody's SD card.
    if (text !== values.get(KEY)) values.set(KEY, text);
    show(kept);
  }

  async function lookAgain(): Promise<void> {
    const kept = keptNow();
    if (kept === null) return;
    const kinds = new Set(kept.regressed.map(({ kind }) => kind));
    const after = await see(kept.regressed, null, stop.signal, (kind) => kinds.has(kind));
    if (stop.signal.aborted || keptNow()?.commandId !== kept.commandId) return;
    const before = { ...after, items: kept.regressed.map(({ was, ...one }) => ({ ...one, is: was })) };
    const left = stillGone(kept.regressed, withoutWhatWasTakenOut(before, after));
    write(left.length === 0 ? null : { ...kept, regressed: left });
  }

  return {
    async note(signal) {
      if (running().config.commands.afterBootS === 0) return null;
      const all = (["link", "drive", "clock"] as const).map((kind) => ({ kind, id: "" }));
      return noted(await see(all, null, signal));
    },
    async look(picture, last, signal) {
      const worse = last === null ? [] : worseThan(picture, last);
      return withoutWhatWasTakenOut(picture, await see(worse, last, signal));
    },
    boundMs: () => running().config.commands.afterBootS * 1_000,
    keep(commandId, { regressed }) {
      write(regressed.length === 0 ? null : { commandId, regressed: regressed.slice(0, MAX_KEPT) });
    },
    systemd: () => systemd(stop.signal),
    reached: (api) => void answered.add(api),
    start: () => show(keptNow()),
    accept(commandId, by) {
      const kept = keptNow();
      if (kept?.commandId !== commandId) throw nothingToAccept(kept);
      write(null);
      const missed = kept.regressed.map(regressionText);
      emit({ type: "after_boot.acked", severity: "info", data: { command_id: commandId, by, missed } });
    },
    ticked() {
      if (!isWorse) return;
      // It went with an identity that this node is no more.
      if (values.get(KEY) === null) show(null);
      if (!isWorse || looking || clock.monotonic() - lookedAt < AGAIN_MS) return;
      looking = true;
      lookedAt = clock.monotonic();
      void lookAgain()
        .catch(() => undefined)
        .finally(() => {
          looking = false;
        });
    },
    stop: () => stop.abort(new AgentError("stopping", "the agent is stopping")),
  };
}

/** What was not as it was before, in a look that is not the last. */
function worseThan(picture: Picture, last: Picture): readonly Pick<Item, "kind" | "id">[] {
  const now = new Map(last.items.map(({ kind, id, is }) => [`${kind} ${id}`, is]));
  return picture.items.filter(({ kind, id, is }) => now.get(`${kind} ${id}`) !== is);
}

/** A collector that hangs is not waited for. */
async function unlessOver(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const over = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([work, over]);
}
