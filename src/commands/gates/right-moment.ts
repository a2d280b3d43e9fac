/**
 * The gates that wait: nothing is wrong with the command, only with the moment. Each says what it waits for and what
 * ends it.
 */

import { AgentError } from "../../model/errors.ts";
import { clause } from "../../model/text/sentence.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import type { Facts, Hidden, Subject } from "./gate.ts";
import { duration, note, refuse, type Stop, some, utc, wait, words } from "./text.ts";
import { type GateOptions, isRehearsal } from "./types.ts";
import { localTime, openZone, windowAt, type Zone } from "./windows.ts";

type Check = (subject: Subject, facts: Facts, options: GateOptions) => Stop | null;

/** Every remote command, whatever it is: somebody works on this node. */
export const hold: Check = ({ source }, { hold: held }) => {
  if (source === "local" || held === null) return null;
  const until = held.until === null ? "until it is released" : `until ${utc(held.until)}`;
  return wait(
    "held",
    `${words(held.by, 60)} holds this node since ${utc(held.since)}, ${until}: ${words(held.reason)}.`,
    "foundry-agent release",
    `the hold of ${words(held.by, 60)} to end (${words(held.reason)})`,
  );
};

/** What was done before is not known any more, so what is asked now may have been done, or may undo it. */
export const lost: Check = ({ source, needs, mode }, { lost: found }) => {
  if (source === "local" || found === null || found.settledBy.includes(source)) return null;
  if (!needs.hardware && !needs.disruptive) return null;
  const text = `What this node knew is lost (${words(found.text, 300)})`;
  if (mode !== "live") return note("simulated", `${text}, so live it would wait until that is settled.`);
  return wait(
    "state_lost",
    `${text}, so it waits until the server has settled what it had open, or somebody on this host says to go on.`,
    "foundry-agent adopt",
    "the server to settle what it had open, or somebody on this host to say to go on, since what this node knew is lost",
  );
};

export const oneAtATime: Check = (_subject, { busyWith }) =>
  busyWith === null
    ? null
    : wait(
        "busy",
        `Another command is being carried out: ${busyWith.type} ${busyWith.id}.`,
        `foundry-agent commands ${busyWith.id}`,
        `${busyWith.type} ${busyWith.id} to be over`,
      );

/**
 * Grace and splay, counted in uptime: a clock that is set in between shortens nothing. The sentence is kept while it
 * waits, so it names the moment, and not how long that is off.
 */
export const grace: Check = ({ id, notBeforeUptimeMs }, { uptimeMs, now }) => {
  if (notBeforeUptimeMs === null || uptimeMs >= notBeforeUptimeMs) return null;
  return wait(
    "grace",
    `It begins at ${utc(now + notBeforeUptimeMs - uptimeMs, "second")}, so that it can still be stopped.`,
    `foundry-agent commands cancel ${id}`,
    `its grace of ${duration(notBeforeUptimeMs - uptimeMs)}, in which it can be stopped`,
  );
};

export const window: Check = ({ source, needs }, { now }, { windows, timeZone }) => {
  if (source === "local" || !needs.disruptive || windows.length === 0) return null;
  let zone: Zone;
  try {
    zone = openZone(timeZone);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return wait(
      "outside_window",
      `Whether a maintenance window is open can't be told: ${clause(error.message)}.`,
      error.nextStep,
      `a maintenance window, which can't be told (${clause(error.message)})`,
    );
  }
  const { open, changesAt } = windowAt(windows, zone, now);
  if (open) return null;
  const opens =
    changesAt === null
      ? "none opens within nine days"
      : `the next one opens ${utc(changesAt)}, ${localTime(zone, changesAt)}`;
  return wait(
    "outside_window",
    `It is outside the maintenance windows; ${opens}.`,
    "foundry-agent config show  # commands.windows and commands.time_zone",
    `a maintenance window (${opens})`,
  );
};

/** Against a loop of reboots, each asked for by what the last one made of the host. */
export const justBooted: Check = ({ needs }, facts, { uptimeGuardMs }) => {
  if (!needs.disruptive || uptimeGuardMs === 0) return null;
  const hidden = unknown("just_booted", "uptime", "how long this host is up", facts);
  if (hidden !== null) return hidden;
  if (facts.uptimeMs >= uptimeGuardMs) return null;
  return wait(
    "just_booted",
    `This host is up for ${duration(facts.uptimeMs)} only; it waits ${duration(uptimeGuardMs - facts.uptimeMs)} more.`,
    null,
    `this host to be up for ${duration(uptimeGuardMs)}`,
  );
};

export const shutdown: Check = ({ needs }, { helperLook }) => {
  if (!needs.disruptive || helperLook === null) return null;
  const { scheduled, underWay } = helperLook.shutdown;
  if (underWay)
    return wait("shutdown_under_way", "This host is going down already.", null, "the shutdown under way");
  if (!scheduled) return null;
  return wait(
    "shutdown_under_way",
    "Somebody has scheduled a shutdown of this host.",
    "shutdown -c  # takes it back",
    "the scheduled shutdown to be over or taken back",
  );
};

/** Root passes by systemd's inhibitors, and the helper is root: so it is for us to wait. */
export const inhibitors: Check = ({ needs }, facts) => {
  if (!needs.disruptive) return null;
  const [first, ...more] = facts.inhibitors;
  if (first === undefined)
    return unknown("inhibited", "inhibitors", "whether a program wants this host to stay on", facts);
  const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
  const who = words(first.who) || "A program";
  return wait(
    "inhibited",
    `${who} wants this host to stay on: ${words(first.why) || "it does not say why"}${others}.`,
    "systemd-inhibit --list --mode=block",
    `${clause(who)} to let this host go down (${words(first.why) || "it does not say why it must not"})${others}`,
  );
};

export const packageLock: Check = ({ needs }, facts) => {
  if (!needs.disruptive) return null;
  if (!facts.packageLock)
    return unknown("packages_locked", "package_lock", "whether packages are being installed", facts);
  const file = facts.packageLockFile ?? null;
  return wait(
    "packages_locked",
    `Packages are being installed or removed${file === null ? "" : ` (${words(file)} is locked)`}.`,
    file === null
      ? "wait until the package manager is done"
      : `sudo fuser -v ${shellWord(file)}  # who it is`,
    `the package manager to be done${file === null ? "" : ` (${words(file)})`}`,
  );
};

export const updates: Check = ({ needs }, facts) => {
  if (!needs.disruptive) return null;
  if (facts.updates.length === 0)
    return unknown("update_in_progress", "updates", "whether the system is being updated", facts);
  return wait(
    "update_in_progress",
    `The system is being updated: ${some(facts.updates)}.`,
    "wait until the update is done and committed",
    `the update of the system to be done (${some(facts.updates)})`,
  );
};

export const sessions: Check = ({ needs, source }, facts, { waitForSessions }) => {
  if (!waitForSessions || !needs.disruptive || source === "local") return null;
  if (facts.sessions.length === 0)
    return unknown("sessions", "sessions", "whether somebody is logged in", facts);
  return wait(
    "sessions",
    `Somebody is logged in: ${some(facts.sessions)}.`,
    "loginctl list-sessions",
    `whoever is logged in to log out (${some(facts.sessions)})`,
  );
};

/** What the helper would say: better to wait here than to be refused there with the intent already written. */
export const limits: Check = (subject, { helperLook }, { policy }) => {
  if (!subject.needs.disruptive || helperLook === null || helperLook.refusal === null) return null;
  const { refusal, againInMinutes } = helperLook;
  // A helper that only rehearses says no to everything; what the policy allows was asked before.
  if (againInMinutes === null && isRehearsal(subject, policy))
    return note("simulated", `Live it would not be done now: ${refusal.text}`);
  if (againInMinutes === null) return refuse(refusal.code, refusal.text, refusal.nextStep);
  return wait(
    "reboot_limit",
    `This host may not be rebooted again for ${duration(againInMinutes * 60_000)}: ${words(refusal.text, 300)}.`,
    refusal.nextStep,
    `the limit of reboots to let it through, in ${duration(againInMinutes * 60_000)}`,
  );
};

/** Doubt waits. */
function unknown(code: string, fact: Hidden, what: string, facts: Facts): Stop | null {
  const reason = facts.unreadable?.[fact];
  if (reason === undefined) return null;
  return wait(
    code,
    `It can't be told ${what}: ${words(reason, 300)}.`,
    "foundry-agent status",
    `it to be known ${what} (${words(reason, 300)})`,
  );
}
