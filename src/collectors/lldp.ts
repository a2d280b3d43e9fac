/**
 * Neighbours on the wire, where lldpd runs: which switch and port each interface is plugged into. They change
 * when somebody moves a cable, and then the kernel counts a change of carrier; so the helper is asked after
 * such a change, once more when the neighbour had time to speak (every 30 s by the standard), and else hourly.
 */
import * as v from "valibot";
import { type LldpResult, lldpResult } from "../helper/lldp/lldp.ts";
import { type Neighbor, neighborSchema } from "../helper/lldp/neighbors.ts";
import type { HelperPort } from "../helper/port.ts";
import type { ConditionDraft } from "../model/condition.ts";
import { AgentError, errorText } from "../model/errors.ts";
import type { EventDraft } from "../model/event.ts";
import { clause, sentence } from "../model/text/sentence.ts";
import type { Files } from "../system/files.ts";
import { type CollectContext, type Collector, type NoData, nobodyIsRoot, noData } from "./collector.ts";

const EVERY_MS = 300_000;
const HOUR_MS = 3_600_000;
const SOCKETS = ["/run/lldpd.socket", "/var/run/lldpd.socket", "/run/lldpd/lldpd.socket"];
const PROGRAMS = ["/usr/sbin/lldpd", "/usr/local/sbin/lldpd", "/sbin/lldpd"];

const lldpSchema = v.object({
  running: v.pipe(
    v.boolean(),
    v.description("false: lldpd is installed and does not run, or does not answer"),
  ),
  neighbors: v.array(neighborSchema),
  problem: v.pipe(
    v.nullable(v.object({ code: v.string(), text: v.string(), next_step: v.nullable(v.string()) })),
    v.description("Why lldpd could not be asked"),
  ),
});

export type LldpData = v.InferOutput<typeof lldpSchema>;

/** Troubles of lldpd itself; those of the helper are the section's. */
const OF_LLDPD = new Set([
  "lldp_lldpcli_missing",
  "lldp_hang",
  "lldp_not_allowed",
  "lldp_not_running",
  "lldp_no_answer",
]);

export function lldpCollector({ helper }: { readonly helper: HelperPort }): Collector<LldpData> {
  let last: { at: number; carrier: string; settled: boolean; neighbors: Neighbor[] } | null = null;

  async function collect(context: CollectContext): Promise<LldpData | NoData> {
    const { files, clock } = context.machine;
    if (!SOCKETS.some((path) => files.presence(path) === "yes")) {
      last = null;
      if (!PROGRAMS.some((path) => files.presence(path) === "yes"))
        return noData("lldpd is not installed.", "apt-get install lldpd");
      return withProblem(
        "lldp_not_running",
        "The daemon lldpd is installed and does not run",
        "systemctl start lldpd",
      );
    }
    if (helper.how.kind === "none") return nobodyIsRoot(helper.how);
    const carrier = carrierOf(files);
    const isDue =
      last === null || last.carrier !== carrier || !last.settled || clock.monotonic() - last.at >= HOUR_MS;
    if (last !== null && !isDue) return { running: true, neighbors: last.neighbors, problem: null };
    try {
      const { neighbors } = parseAnswer(await helper.call("lldp", {}, context.signal));
      last = { at: clock.monotonic(), carrier, settled: last?.carrier === carrier, neighbors };
      return { running: true, neighbors, problem: null };
    } catch (error) {
      last = null;
      if (!(error instanceof AgentError)) throw error;
      if (!OF_LLDPD.has(error.code)) throw error;
      return withProblem(error.code, errorText(error), error.nextStep);
    }
  }

  return {
    name: "lldp",
    summary: "Neighbours on the wire as lldpd hears them: switch, port and VLANs of each interface.",
    everyMs: EVERY_MS,
    timeoutMs: 15_000,
    schema: lldpSchema,
    volatile: {},
    sensitive: ["neighbors[].chassis.id", "neighbors[].port.id"],
    metrics: [
      {
        name: "foundry_agent_lldp_neighbor_info",
        help: "A neighbour heard by lldpd; the value is 1.",
        type: "gauge",
        samples: ({ neighbors }) =>
          neighbors.map(({ interface: device, chassis, port }) => ({
            value: 1,
            labels: { device, chassis: chassis.name ?? "", port: port.description ?? "" },
          })),
      },
    ],
    table: {
      columns: ["interface", "neighbour", "port", "address", "VLANs"],
      rows: ({ neighbors }) =>
        neighbors.map(({ interface: device, chassis, port, vlans }) => [
          device,
          chassis.name ?? chassis.id,
          port.description ?? port.id,
          chassis.addresses[0] ?? null,
          vlans.map(({ id }) => id).join(" ") || null,
        ]),
    },
    glance: ({ neighbors, problem }) =>
      problem?.text ??
      (neighbors
        .map(({ interface: device, chassis }) => `${device} to ${chassis.name ?? chassis.id}`)
        .join(", ") ||
        "no neighbour heard yet"),
    conditions: lldpConditions,
    changes: lldpChanges,
    collect,
  };
}

function withProblem(code: string, text: string, next_step: string | null): LldpData {
  return { running: false, neighbors: [], problem: { code, text, next_step } };
}

function parseAnswer(answer: unknown): LldpResult {
  const parsed = v.safeParse(lldpResult, answer);
  if (parsed.success) return parsed.output;
  throw new AgentError(
    "helper_protocol",
    "The helper's answer to lldp has another shape than expected",
    "systemctl restart foundry-agent-helper.socket  # after an upgrade",
  );
}

/** One word of how often the carrier of each physical interface came and went. */
function carrierOf(files: Files): string {
  return files
    .list("/sys/class/net")
    .filter((name) => files.link(`/sys/class/net/${name}/device`) !== null)
    .map((name) => `${name}:${files.text(`/sys/class/net/${name}/carrier_changes`)}`)
    .join(" ");
}

export function lldpConditions({ problem }: LldpData): ConditionDraft[] {
  if (problem === null) return [];
  const text = sentence(`${clause(problem.text)}, so the neighbours on the wire are not known`);
  const nextStep = problem.next_step;
  if (problem.code === "lldp_not_running")
    return [{ code: "lldp_not_running", severity: "info", text, nextStep }];
  return [{ code: "lldp_failed", severity: "warning", text, nextStep }];
}

/** A cable that was moved; that it was pulled shows in the section `network`. */
export function lldpChanges(before: LldpData | null, after: LldpData): EventDraft[] {
  if (before === null || before.problem !== null) return [];
  return after.neighbors.flatMap((now): EventDraft[] => {
    const was = before.neighbors.filter((other) => other.interface === now.interface);
    const isAlone = after.neighbors.filter((other) => other.interface === now.interface).length === 1;
    const [old] = was;
    if (!isAlone || was.length !== 1 || old === undefined || placeOf(old) === placeOf(now)) return [];
    const data = { interface: now.interface, before: wordsOf(old), after: wordsOf(now) };
    return [{ type: "lldp.neighbor_changed", severity: "warning", data }];
  });
}

function placeOf({ chassis, port }: Neighbor): string {
  return [chassis.id ?? chassis.name, port.id ?? port.description].join(" ");
}

function wordsOf({ chassis, port }: Neighbor): object {
  return { chassis: chassis.name ?? chassis.id, port: port.description ?? port.id };
}
