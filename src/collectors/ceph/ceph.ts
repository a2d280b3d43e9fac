/** Ceph on this host: its OSDs and daemons as local traces tell them, and what the cluster says of them (ask.ts). */
import type { CephAccess } from "../../ceph/command/failure.ts";
import { localDaemons } from "../../ceph/daemons.ts";
import { drivesUnder } from "../../ceph/drives-under.ts";
import { osdPresence } from "../../ceph/osd-presence.ts";
import { type LocalOsd, localOsds } from "../../ceph/osds.ts";
import { AgentError, errorText } from "../../model/errors.ts";
import { NEVER_NEWS } from "../../model/facets.ts";
import { plural, sentence } from "../../model/text/sentence.ts";
import { type RunProgram, runProgram } from "../../system/program.ts";
import { type CollectContext, type Collector, type NoData, noData } from "../collector.ts";
import { type Asker, openAsker } from "./ask.ts";
import { cephConditions, cephEvents } from "./conditions.ts";
import { leftBehindConditions, parseLeftBehind, rememberLeftBehind } from "./left-behind.ts";
import { cephAccess, cephOptions, foreignNooutAfter } from "./options.ts";
import { type Answers, clusterOf, osdsOf } from "./picture.ts";
import { type CephData, cephSchema } from "./schema.ts";
import { cephMetrics, cephTable } from "./view.ts";

const EVERY_MS = 300_000;
/** Looked for first: where there is none nothing has to be tried. */
const PROGRAMS = ["/usr/bin/ceph", "/usr/local/bin/ceph", "/bin/ceph", "/usr/sbin/ceph"];
/** The first run is waited for at the agent's start, so it takes no longer than this. */
const FIRST_MS = 1_000;
/** Five calls one after the other, on a busy Pi. */
const TIMEOUT_MS = 150_000;

/** Not "nothing there": what was wrong before the start is as wrong as it was until the cluster has answered. */
const FIRST_TIME: NoData = {
  noData: "The cluster is being asked for the first time.",
  nextStep: null,
  pending: true,
};

export interface CephParts {
  /** Given in tests. */
  readonly run?: RunProgram;
  /** Called when the cluster answered after the first run was over: run this collector again. */
  readonly onLate?: () => void;
  /** How long the first run takes at most when there is `onLate`, milliseconds. */
  readonly firstMs?: number;
}

export function cephCollector({
  run = runProgram,
  onLate,
  firstMs = FIRST_MS,
}: CephParts = {}): Collector<CephData> & { options: typeof cephOptions } {
  let asker: { readonly access: CephAccess; readonly ask: Asker } | null = null;
  let asking: Promise<Answers | Error> | null = null;
  let isFirst = true;
  let lookedAt = 0;
  let nooutAfter = 0;
  /** Of the last good look: a cluster that says nothing takes no alarm back. */
  let last: CephData | null = null;

  async function ask({ options, signal, machine }: CollectContext): Promise<Answers> {
    const access = cephAccess(options);
    if (!PROGRAMS.some((path) => machine.files.presence(path) === "yes"))
      throw new AgentError("no_ceph_cli", "the program ceph is not installed", "apt-get install ceph-common");
    if (asker === null || JSON.stringify(asker.access) !== JSON.stringify(access))
      asker = { access, ask: openAsker(access, run) };
    return await asker.ask(machine.clock.monotonic(), signal);
  }

  function collect(context: CollectContext): Promise<CephData | NoData> | NoData {
    const { files } = context.machine;
    const local = localOsds(files);
    const daemons = localDaemons(files);
    if (local.length === 0 && daemons.length === 0) {
      const presence = osdPresence(files);
      if (presence.is === "no") return noData("No OSD or daemon of Ceph is set up on this host.");
      if (presence.is === "unknown")
        return noData(sentence(`Whether Ceph runs on this host is not known: ${presence.why}`));
    }
    return whole(context, local, daemons);
  }

  async function whole(
    context: CollectContext,
    local: readonly LocalOsd[],
    daemons: CephData["daemons"],
  ): Promise<CephData | NoData> {
    const answer = await answerOf(context);
    if (answer === null) return FIRST_TIME;
    const drives = drivesUnder(context.machine.files, local);
    if (!(answer instanceof Error)) {
      const { clock } = context.machine;
      const ids = local.map(({ id }) => id);
      const cluster = clusterOf(answer, ids, (elsewhere) => {
        const before = parseLeftBehind(context.memory.get());
        const after = rememberLeftBehind(before, elsewhere, clock.now());
        if (JSON.stringify(after) !== JSON.stringify(before)) context.memory.set(after);
        return after;
      });
      lookedAt = clock.now();
      nooutAfter = foreignNooutAfter(context.options);
      last = { osds: osdsOf(local, drives, answer), daemons, cluster, problem: null };
      return last;
    }
    if (!(answer instanceof AgentError) || context.signal.aborted) throw answer;
    const problem = { code: answer.code, text: sentence(answer.message), next_step: answer.nextStep };
    return { osds: osdsOf(local, drives, null), daemons, cluster: null, problem };
  }

  /** Null: it takes longer than a start may, and `onLate` is called when it is there. */
  async function answerOf(context: CollectContext): Promise<Answers | Error | null> {
    asking ??= ask(context).catch((error: unknown) =>
      error instanceof Error ? error : new AgentError("unexpected", errorText(error)),
    );
    const answer = await (isFirst && onLate !== undefined ? Promise.race([asking, delay(firstMs)]) : asking);
    isFirst = false;
    if (answer === null) void asking.then(onLate);
    else asking = null;
    return answer;
  }

  return {
    name: "ceph",
    summary:
      "Ceph on this host: its OSDs and their drives, other daemons, and what the cluster says of them.",
    everyMs: EVERY_MS,
    timeoutMs: TIMEOUT_MS,
    get schema() {
      return cephSchema;
    },
    options: cephOptions,
    volatile: {
      "osds[id].used_bytes": { rel: 0.05 },
      "cluster.checks[code].text": NEVER_NEWS,
    },
    sensitive: [],
    metrics: cephMetrics,
    table: cephTable,
    glance: ({ osds, daemons, cluster, problem }) =>
      [
        plural(osds.length, "OSD"),
        ...(daemons.length === 0 ? [] : [daemons.map(({ kind }) => kind).join(" ")]),
        cluster?.health ?? problem?.text ?? "",
      ]
        .filter((part) => part !== "")
        .join(", "),
    conditions(data) {
      const known = data.cluster === null && last !== null ? { ...last, problem: data.problem } : data;
      return [
        ...cephConditions(known),
        ...leftBehindConditions(known.cluster?.noout_elsewhere ?? [], lookedAt, nooutAfter),
      ];
    },
    changes: cephEvents,
    collect,
  };
}

async function delay(ms: number): Promise<null> {
  return await new Promise((resolve) => setTimeout(resolve, ms, null).unref());
}
