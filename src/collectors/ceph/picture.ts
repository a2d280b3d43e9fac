/** What the cluster's own answers mean for this host. Pure. */
import type { Health, OsdDf, OsdDump } from "../../ceph/command/answers.ts";
import { coveringFlags } from "../../ceph/map/flags.ts";
import { type CrushTree, osdsBelow } from "../../ceph/map/tree.ts";
import type { LocalOsd } from "../../ceph/osds.ts";
import { oneLine } from "../linux/text.ts";
import type { LeftBehind } from "./left-behind.ts";
import type { CephCluster, CephOsd } from "./schema.ts";

const MAX_CHECKS = 50;
const MAX_ELSEWHERE = 100;
const KIB = 1024;

/** All that was asked of the cluster. */
export interface Answers {
  readonly dump: OsdDump;
  readonly tree: CrushTree;
  /** null: no manager answered. */
  readonly df: OsdDf | null;
  readonly health: Health;
  /** By kind of daemon and version, how many; null: not asked yet. */
  readonly versions: Readonly<Record<string, Readonly<Record<string, number>>>> | null;
}

type Elsewhere = Omit<CephCluster["noout_elsewhere"][number], "since">;

/** @param drives kernel names by OSD id @param answers null: what this host alone knows */
export function osdsOf(
  local: readonly LocalOsd[],
  drives: ReadonlyMap<number, readonly string[]>,
  answers: Answers | null,
): CephOsd[] {
  return local.map(({ id, uuid }) => {
    const inMap = answers?.dump.osds.find(({ osd }) => osd === id);
    const node = answers?.tree.byId.get(id);
    const parent = answers?.tree.parents.get(id);
    const space = answers?.df?.nodes.find((one) => one.id === id);
    return {
      id,
      uuid: uuid ?? inMap?.uuid ?? null,
      drives: [...(drives.get(id) ?? [])],
      ours: uuid === null || answers === null ? null : inMap?.uuid === uuid,
      bucket: parent === undefined ? null : (answers?.tree.byId.get(parent)?.name ?? null),
      class: node?.device_class ?? null,
      up: inMap?.up ?? null,
      in: inMap?.in ?? null,
      weight: node?.reweight ?? inMap?.weight ?? null,
      crush_weight: node?.crush_weight ?? null,
      capacity_bytes: space?.kb == null ? null : space.kb * KIB,
      used_bytes: space?.kb_used == null ? null : space.kb_used * KIB,
    };
  });
}

/** @param ids of this host's OSDs @param leftBehind since when they are so */
export function clusterOf(
  answers: Answers,
  ids: readonly number[],
  leftBehind: (elsewhere: readonly Elsewhere[]) => LeftBehind,
): CephCluster {
  const { dump, tree, health } = answers;
  const parents = [...new Set(ids.flatMap((id) => tree.parents.get(id) ?? []))];
  const names = parents.flatMap((id) => tree.byId.get(id)?.name ?? []);
  const elsewhere = nooutElsewhere(answers, ids);
  const since = leftBehind(elsewhere);
  const running = versionsOf(answers.versions);
  return {
    fsid: dump.fsid,
    version: running[0] ?? null,
    mixed_versions: running.length > 1,
    health: health.status,
    checks: Object.entries(health.checks)
      .map(([code, { severity, summary, muted }]) => ({
        code,
        severity,
        text: oneLine(summary.message, 200) ?? code,
        muted,
      }))
      .sort((a, b) => (a.code < b.code ? -1 : 1))
      .slice(0, MAX_CHECKS),
    buckets: names.sort(),
    flags: coveringFlags(dump, tree, ids),
    noout_elsewhere: elsewhere.map((one) => {
      const at = since[one.bucket];
      return { ...one, since: at === undefined ? null : new Date(at).toISOString() };
    }),
  };
}

/** Buckets with noout that hold none of ours. One without any OSD holds nothing up. */
function nooutElsewhere({ dump, tree }: Answers, ids: readonly number[]): Elsewhere[] {
  const up = new Set(dump.osds.filter((osd) => osd.up).map(({ osd }) => osd));
  return [...tree.byId.values()]
    .filter(({ name }) => dump.crush_node_flags[name]?.includes("noout"))
    .map(({ id, name }) => ({ name, below: osdsBelow(tree, id) }))
    .filter(({ below }) => below.length > 0 && !below.some((id) => ids.includes(id)))
    .map(({ name, below }) => ({ bucket: name, all_down: !below.some((id) => up.has(id)) }))
    .sort((a, b) => (a.bucket < b.bucket ? -1 : 1))
    .slice(0, MAX_ELSEWHERE);
}

/** `16.2.15`, the one that most daemons run first. */
function versionsOf(versions: Answers["versions"]): string[] {
  const counts = new Map<string, number>();
  for (const [kind, ofKind] of Object.entries(versions ?? {}))
    if (kind !== "overall")
      for (const [text, count] of Object.entries(ofKind)) {
        const version = /^ceph version (\d[\w.~-]{0,60})/.exec(text)?.[1];
        if (version !== undefined) counts.set(version, (counts.get(version) ?? 0) + count);
      }
  return [...counts].sort(([, a], [, b]) => b - a).map(([version]) => version);
}
