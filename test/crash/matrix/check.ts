/** What must hold when all is over, whoever was killed when. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandState, isFinal } from "../../../src/model/command.ts";
import type { Combination, Outcome } from "./run.ts";
import { COMMAND_ID, type LogLine, places } from "./types.ts";
import { integrity, isMarked, mistakes } from "./world.ts";

type Arrived = Extract<LogLine, { kind: "arrived" }>;

/** @returns one sentence for each thing that must not be */
export function violations(world: string, one: Combination, { log }: Outcome): string[] {
  const wrong: string[] = [];
  const must = (holds: boolean, sentence: string): void => void (holds || wrong.push(sentence));
  const reboots = log.filter((line) => line.kind === "reboot");
  const acts = log.filter((line) => line.kind === "act");
  must(reboots.length <= 1, `the host was asked to reboot ${reboots.length} times`);
  must(acts.length <= 1, `the act was done ${acts.length} times`);

  const arrived = log.filter((line) => line.kind === "arrived");
  const events = [...new Map(arrived.map((event) => [event.id, event])).values()].filter(
    ({ type, data }) => type === "command.state" && data.command_id === COMMAND_ID,
  );
  const finals = events.filter(({ data }) => isFinal(data.state as CommandState));
  // A server that asks again after it was told is told again.
  const again = log.filter((line) => line.kind === "delivered" && line.again).length;
  must(finals.length === 1 + again, `${finals.length} final results arrived, though ${1 + again} were due`);
  const states = new Set(finals.map(({ data }) => data.state));
  must(states.size === 1, `the results differ: ${[...states].join(", ")}`);

  const promised = log.filter((line) => line.kind === "promised");
  const known = new Set(arrived.map(({ id }) => id));
  const lost = promised.filter(({ id }) => !known.has(id));
  must(lost.length === 0, `promised and never told: ${lost.map(({ state }) => state ?? "event").join(", ")}`);

  const [end] = finals;
  if (end !== undefined) wrong.push(...wrongResult(log, one, end, recorded(world)));
  must(!isMarked(world), "the mark is still there");
  must(integrity(world) === "ok", `state.db: ${integrity(world)}`);
  must(
    !readdirSync(places(world).state).some((name) => name.includes("corrupt")),
    "the state was found damaged",
  );
  must(!existsSync(places(world).stopping), "over, though the host is going down");
  const mistake = mistakes(world);
  must(mistake === null, `a mistake of the agent's own: ${mistake}`);
  return wrong;
}

/** The state of the command in the helper's record; null: it was never begun. */
function recorded(world: string): string | null {
  const path = join(places(world).helperState, "done.json");
  if (!existsSync(path)) return null;
  const { entries } = JSON.parse(readFileSync(path, "utf8")) as {
    entries: { id: string; outcome: { state: string } }[];
  };
  return entries.find(({ id }) => id === COMMAND_ID)?.outcome.state ?? null;
}

/** What the one result says, against what happened. */
function wrongResult(
  log: readonly LogLine[],
  { kind }: Combination,
  { data }: Arrived,
  said: string | null,
): string[] {
  const reboot = log.find((line) => line.kind === "reboot");
  const act = log.some((line) => line.kind === "act");
  const hasRebooted =
    reboot !== undefined && log.slice(log.indexOf(reboot)).some((line) => line.kind === "boot");
  const decided = log.findIndex(
    (line) => line.kind === "promised" && line.state !== null && isFinal(line.state as CommandState),
  );
  const wrong: string[] = [];
  if (decided >= 0 && log.slice(decided).some((line) => line.kind === "reboot" || line.kind === "act"))
    wrong.push(`something was done after it was ${data.state}`);
  if (kind === "two_steps") {
    if (data.state === "succeeded" && !act) wrong.push("succeeded without the act");
    return wrong;
  }
  const result = (data.result ?? {}) as {
    from_boot_id?: string;
    boot_id?: string;
    cause?: string;
    regressed?: unknown[];
  };
  if (data.state === "succeeded") {
    if (result.regressed?.length !== 0)
      wrong.push(`looked at after the boot: ${JSON.stringify(result.regressed)}`);
    if (result.from_boot_id === undefined || result.from_boot_id === result.boot_id)
      wrong.push(`succeeded from boot ${result.from_boot_id} to ${result.boot_id}`);
    if (reboot !== undefined && reboot.boot !== result.from_boot_id)
      wrong.push(`asked on ${reboot.boot}, told ${result.from_boot_id}`);
    // Whether it began is for the helper's record to say, on the disk before anything is done.
    const cause = said === null ? "unverified" : "command";
    if (said !== "failed" && result.cause !== cause)
      wrong.push(`the helper's record says ${said}, and it is ${result.cause}`);
    if (reboot !== undefined && said === null)
      wrong.push("the host was asked, and the helper knows nothing of it");
  } else if (hasRebooted) wrong.push(`the host rebooted as it was asked to, and it is ${data.state}`);
  return wrong;
}
