/** The gates that refuse for good: whether this may be done on this host at all, and whether it could be proven afterwards. */

import { allowedTo, isPolicyWord } from "../../helper/policy/words.ts";
import { ownFile } from "../../model/text/own-file.ts";
import { sentence } from "../../model/text/sentence.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import type { Facts, Subject } from "./gate.ts";
import { note, refuse, type Stop, some, utc, wait, words } from "./text.ts";
import type { GateOptions } from "./types.ts";

/** How far the clock of a source may be ahead of what is known of the time, milliseconds. */
export const FUTURE_MS = 5 * 60_000;

type Check = (subject: Subject, facts: Facts, options: GateOptions) => Stop | null;

export const expiry: Check = ({ expiresAt, issuedAt }, { time }) => {
  if (expiresAt !== null && time.atLeast !== null && time.atLeast >= expiresAt)
    return refuse(
      "expired",
      `It was to be done before ${utc(expiresAt)}, and that has passed.`,
      "send the command anew if it is still wanted",
    );
  if (issuedAt !== null && time.exact && time.atLeast !== null && issuedAt > time.atLeast + FUTURE_MS)
    return refuse(
      "from_the_future",
      `It was issued at ${utc(issuedAt)}, and the server's own clock says ${utc(time.atLeast)}.`,
      "check the clock of whatever makes the commands",
    );
  return null;
};

/** `off`, a file that can't be trusted, and what is not allowed to this source. Rehearsing is no verdict: see `isRehearsal`. */
export const policy: Check = (subject, _facts, { policy: read, policyFile }) => {
  const remote = subject.source !== "local";
  if ("unusable" in read) {
    const changes = remote || subject.needs.hardware;
    // Of such a test nothing is done but what it says, or what is done all day.
    const harmless = subject.needs.hardware || subject.type === "noop" || subject.type === "collect";
    const leftOut = subject.mode === "test" && harmless;
    if (leftOut || !changes) return null;
    return refuse("policy_unusable", sentence(read.unusable.text), read.unusable.nextStep);
  }
  if (remote && read.remote === "off")
    return refuse(
      "remote_off",
      "The policy lets no command from the network be carried out on this host.",
      `write remote = "rehearse" or "on" below [commands] in ${shellWord(policyFile)}`,
    );
  if (!isPolicyWord(subject.type)) return null;
  const allowed = allowedTo(read.allow, subject.source);
  if (allowed.includes(subject.type)) return null;
  const list = [...allowed, subject.type].map((item) => `"${item}"`).join(", ");
  return refuse(
    "not_allowed",
    `The policy does not let ${subject.source} do ${subject.type} on this host.`,
    `write ${subject.source} = [${list}] below [allow] in ${shellWord(policyFile)}`,
  );
};

export const force: Check = ({ params }, _facts, { forceAllowed, policyFile }) => {
  if (params.force !== true || forceAllowed) return null;
  return refuse(
    "force_not_allowed",
    "It asks to be forced, and the policy does not allow that.",
    `send it without force, or allow the word "force" to its source in ${shellWord(policyFile)}`,
  );
};

export const hardware: Check = ({ needs }, { hardware: switched, helper }, { configFile }) => {
  if (!needs.hardware) return null;
  if (!switched)
    return refuse(
      "hardware_off",
      "This agent only observes: hardware = false in its configuration.",
      `write hardware = true below [agent] in ${ownFile(configFile)}`,
    );
  if (!helper.present) return refuse("no_helper", sentence(helper.why.text), helper.why.nextStep);
  return null;
};

export const writable: Check = (_subject, { storage: found }) => {
  if (found.writable) return null;
  return refuse(
    "journal_not_writable",
    "The journal of commands can't be written, so nothing could be proven afterwards.",
    "foundry-agent status  # names the folder and what to mend",
  );
};

/** A reboot is proven by what was written before it. */
export const storage: Check = ({ needs }, { storage: { volatile } }, { policy: read, policyFile }) => {
  if (!needs.disruptive || volatile === null) return null;
  if (!("unusable" in read) && read.volatileState)
    return note(
      "state_volatile",
      `The state is on ${volatile} and will be lost; the policy allows that.`,
      `lose its state, which is on ${volatile}; the policy allows that`,
    );
  return refuse(
    "state_volatile",
    `The state is on ${volatile}, so the record of this command would not outlive the reboot.`,
    `put agent.state_dir on a disk, or write volatile_state = true below [commands] in ${shellWord(policyFile)}`,
  );
};

/** Of a command that is not taken yet, as in a dry run: its source has its part of the journal and no more. */
export const journal: Check = (_subject, { noRoom }) =>
  noRoom == null ? null : refuse(noRoom.code, noRoom.text, noRoom.nextStep);

/** The question before they may stop, with their ids where they are known: a look, which changes nothing. */
function askCeph(ids: readonly number[]): string {
  return ids.length === 0
    ? "ceph osd tree  # which OSDs are of this host: ask ceph osd ok-to-stop for all of them"
    : `ceph osd ok-to-stop ${ids.join(" ")}  # all of this host`;
}

/** Until this agent can drain, it does not pretend to. Unknown counts as yes, once root has looked as well. */
export const osds: Check = ({ type, params, source, mode }, { osds: found, helper, helperLook }) => {
  if (type !== "reboot" || params.drain_osds === false || found.is === "no") return null;
  if (found.is === "unknown" && mode === "live" && helper.present && helperLook === null) return null;
  const ids = found.is === "yes" ? (found.ids ?? []) : [];
  const why =
    found.is === "yes"
      ? `This host has Ceph OSDs${
          ids.length === 0
            ? ""
            : ` (${some(
                ids.map((id) => `osd.${id}`),
                12,
              )})`
        }`
      : `Whether this host has Ceph OSDs can't be told (${words("why" in found ? found.why : "")})`;
  return refuse(
    "no_drain_available",
    `${why}, and this version can't drain them before a reboot.`,
    `${askCeph(ids)}; where it says yes: ${source === "local" ? "foundry-agent reboot --no-drain" : "send it with drain_osds = false"}`,
  );
};

/** With a public key a command's time counts, and it can't be judged by a clock that nobody vouches for. */
export const clock: Check = (
  { source, signed, needs, expiresAt },
  { time, clockTrusted },
  { policy: read },
) => {
  const keyed = !("unusable" in read) && read.publicKey !== null;
  if (!keyed || source === "local" || !(needs.disruptive || signed)) return null;
  // Without an end there is nothing to judge; one that can't have passed yet is decided by `expiry`.
  if (time.exact || clockTrusted || expiresAt === null) return null;
  return wait(
    "no_trusted_time",
    "Commands must be signed here, and what time it is is not known well enough to tell whether this one still holds.",
    "timedatectl  # or wait for an answer of the server",
    "the time to be known well enough",
  );
};
