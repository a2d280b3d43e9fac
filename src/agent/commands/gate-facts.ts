/** What the gates of commands are asked with: facts of this host, its policy and its configuration, at each look. */
import { type OsdsHere, together } from "../../ceph/here.ts";
import type { CommandSettings, GatePort, OwnFacts, PolicyLook } from "../../commands/executor/ports.ts";
import { within } from "../../commands/executor/waker.ts";
import { isClockTrusted, readFacts } from "../../commands/facts/facts.ts";
import { readMounts, volatileStorage } from "../../commands/facts/mounts.ts";
import type { Facts, GateVerdict, HelperLook, KnownTime, Subject } from "../../commands/gates/gate.ts";
import { evaluateGates } from "../../commands/gates/gates.ts";
import { splaySeconds } from "../../commands/gates/grace.ts";
import { parseWindows } from "../../commands/gates/windows.ts";
import { COMMAND_TYPES } from "../../commands/index.ts";
import { whyOf } from "../../commands/journal/event.ts";
import { testStep } from "../../commands/mode-advice.ts";
import type { CommandRecord } from "../../commands/record.ts";
import { signatureProblem } from "../../commands/signature.ts";
import { allowedTo } from "../../helper/policy/words.ts";
import type { RebootLook } from "../../helper/reboot/look.ts";
import type { Command, Why } from "../../model/command.ts";
import type { ConditionDraft } from "../../model/condition.ts";
import { AgentError } from "../../model/errors.ts";
import { needText } from "../../model/text/need.ts";
import { clause } from "../../model/text/sentence.ts";
import type { Store } from "../../store/types.ts";
import type { Machine } from "../../system/machine.ts";
import type { Configured } from "../configured.ts";
import { lookAtPolicy } from "./armed.ts";

export interface CommandGates extends GatePort {
  /** `state_volatile` */
  conditions(): ConditionDraft[];
}

const LOOK_MS = 20_000;

export function openCommandGates(options: {
  readonly machine: Machine;
  readonly store: Store;
  readonly bootId: string;
  readonly running: () => Configured;
}): CommandGates {
  const { machine, store, bootId, running } = options;
  const { files, clock } = machine;
  const types = new Map(COMMAND_TYPES.map((type) => [type.type, type]));
  const settings = (): CommandSettings => running().config.commands;

  const policy = (): PolicyLook => lookAtPolicy(running().config.commands.policyFile, machine.uid);

  function facts(own: OwnFacts, helperLook: HelperLook | null): Facts {
    const { config, helper } = running();
    const read = readFacts(files, {
      stateDir: config.agent.stateDir,
      // On a full disk there is the reserve; should that be used up too, writing fails and nothing is done.
      journalWritable: store.mode === "ok" || store.problem?.code === "state_full",
      busyFiles: config.commands.busyFiles ?? [],
      now: own.now,
    });
    const { how } = helper;
    const absent =
      how.kind === "none"
        ? { code: "no_helper", text: `this ${needText(how.need)}`, nextStep: how.nextStep }
        : null;
    return {
      ...read,
      ...own,
      osds: together(read.osds, helperLook?.osds ?? null),
      clockTrusted: read.clockTrusted || own.time.exact,
      hardware: config.agent.hardware,
      helper: absent === null ? { present: true } : { present: false, why: absent },
      helperLook,
    };
  }

  /** Where nothing is ever done to the hardware, nothing has to be proven after a boot. */
  function conditions(): ConditionDraft[] {
    const { config, helper } = running();
    if (!config.agent.hardware || helper.how.kind === "none") return [];
    const kind = volatileStorage(files, config.agent.stateDir, readMounts(files));
    if (kind === null || policy().policy?.volatileState === true) return [];
    return [
      {
        code: "state_volatile",
        severity: "warning",
        text: `The state is on ${kind} and gone after a boot, so a reboot could not be proven and is refused.`,
        nextStep: `put agent.state_dir on a disk, or write volatile_state = true below [commands] in ${config.commands.policyFile}`,
      },
    ];
  }

  async function verdicts(
    record: CommandRecord,
    own: OwnFacts,
    look: boolean,
    signal: AbortSignal,
  ): Promise<readonly GateVerdict[]> {
    const subject = subjectOf(record);
    const seen = look && running().helper.how.kind !== "none" ? await lookAsHelper(record, signal) : null;
    const { config } = running();
    const { commands } = config;
    const read = policy();
    running().policySeen(read.policy !== null);
    const found = evaluateGates(subject, facts(own, seen?.look ?? null), {
      policy: read.policy ?? {
        unusable: read.problem ?? { code: "policy_unusable", text: "There is no policy.", nextStep: null },
      },
      policyFile: commands.policyFile,
      configFile: config.file,
      forceAllowed: read.policy !== null && allowedTo(read.policy.allow, subject.source).includes("force"),
      windows: parseWindows(commands.windows ?? []),
      timeZone: commands.timeZone,
      waitForSessions: commands.waitForSessions,
      uptimeGuardMs: commands.uptimeGuardS * 1_000,
    });
    return [
      ...modeVerdict(record),
      ...signatureVerdict(record, own),
      ...found,
      ...(seen === null || seen.problem === null
        ? []
        : [
            {
              gate: "helper",
              verdict: "wait" as const,
              why: seen.problem,
              would: `the helper to answer (${clause(seen.problem.text)})`,
            },
          ]),
    ];
  }

  /** Checked when it came, and again: meanwhile the policy may have got a key, or the time be known. */
  function signatureVerdict({ asked }: CommandRecord, { time }: OwnFacts): GateVerdict[] {
    const why = signature(asked, time);
    if (why === null) return [];
    return why.code === "no_trusted_time"
      ? [{ gate: "signature", verdict: "wait", why, would: "the time to be known well enough" }]
      : [{ gate: "signature", verdict: "refuse", why, would: null }];
  }

  /** Of a dry run, or it came while this node was live and its key is another one now. */
  function modeVerdict({ asked }: CommandRecord): GateVerdict[] {
    const api = apiOf(asked.source);
    const mode = api?.status().mode;
    if (asked.mode !== "live" || (mode !== "test" && mode !== "read-only")) return [];
    if (types.get(asked.type)?.needs.hardware === false) return [];
    const text = `This node is registered with a ${mode} key, so its hardware is not touched.`;
    const nextStep =
      asked.source === "local"
        ? testStep(asked.type, asked.signature !== null)
        : "foundry-agent status  # shows the mode of each control API";
    return [{ gate: "mode", verdict: "refuse", why: { code: "refused_mode", text, nextStep }, would: null }];
  }

  function signature(command: Command, time: KnownTime): Why | null {
    const read = policy().policy;
    if (read === null || read.publicKey === null) return null;
    // A host that no server tells the time may know it from its time servers.
    const trusted = time.exact || !isClockTrusted(files) ? time : { atLeast: clock.now(), exact: true };
    return signatureProblem(command, {
      publicKey: read.publicKey,
      nodeId: read.nodeId ?? nodeId(command.source),
      now: trusted,
    });
  }

  /** Of a local command the first one's: what it says of this node. */
  function apiOf(source: string) {
    const apis = running().loops.map(({ api }) => api);
    return apis.find(({ name }) => name === source) ?? (source === "local" ? apis[0] : undefined);
  }

  const nodeId = (source: string): string | null => apiOf(source)?.status().nodeId ?? null;

  function subjectOf({ asked, progress }: CommandRecord): Subject {
    const { notBefore } = progress;
    return {
      id: asked.id,
      type: asked.type,
      source: asked.source,
      mode: asked.mode,
      params: asked.params,
      needs: types.get(asked.type)?.needs ?? { hardware: true, disruptive: true },
      expiresAt: asked.expiresAt,
      issuedAt: asked.issuedAt,
      // Counted from this boot where another one began it: on doubt longer.
      notBeforeUptimeMs:
        notBefore === null
          ? null
          : notBefore.bootId === bootId
            ? notBefore.uptimeMs
            : (running().config.commands.graceS +
                splaySeconds(asked.nodeId, asked.id, running().config.commands.splayS)) *
              1_000,
      signed: asked.signature !== null,
    };
  }

  async function lookAsHelper(
    { asked }: CommandRecord,
    stopping: AbortSignal,
  ): Promise<{ look: HelperLook | null; problem: GateVerdict["why"] }> {
    const method = types.get(asked.type)?.reboot?.(asked.params) ?? "graceful";
    const args = { id: null, source: asked.source, method };
    try {
      const seen = (await within(stopping, LOOK_MS, (signal) =>
        running().helper.call("reboot.look", args, signal, { deadlineMs: LOOK_MS }),
      )) as RebootLook;
      const { shutdown, refusal, again_in_minutes, doubt } = seen;
      return {
        look: {
          shutdown: { scheduled: shutdown.scheduled, underWay: shutdown.under_way || doubt !== null },
          refusal:
            refusal === null ? null : { code: refusal.code, text: refusal.text, nextStep: refusal.next_step },
          againInMinutes: again_in_minutes,
          osds: osdsOf(seen.osds),
        },
        problem: null,
      };
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      return { look: null, problem: { ...whyOf(error), code: "helper_silent" } };
    }
  }

  return { settings, policy, nodeId, signature, verdicts, conditions };
}

/** As an older helper leaves it out, and as a newer one might change it: what can't be read is doubt. */
function osdsOf(said: unknown): OsdsHere | null {
  if (said === undefined) return null;
  const { is, ids, why } = (said ?? {}) as { is?: unknown; ids?: unknown; why?: unknown };
  if (is === "yes") return { is, ids: Array.isArray(ids) ? ids.filter(Number.isSafeInteger) : [] };
  if (is === "no") return { is };
  return { is: "unknown", why: typeof why === "string" ? why : "the helper could not tell" };
}
