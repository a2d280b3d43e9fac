/**
 * Flags of the OSD map that concern certain OSDs. They stand in four places: on the whole cluster, on a bucket (theirs
 * or any above it), on a device class, and on a single OSD. Which of them may hold up a reboot is not decided here.
 */
import type { OsdDump } from "../command/answers.ts";
import { ancestors, type CrushTree } from "./tree.ts";

export interface MapFlag {
  /** Ceph's own word: `noout`, `nodown`, `pauserd`, … */
  readonly flag: string;
  readonly on: "cluster" | "bucket" | "class" | "osd";
  /** Of the bucket, class or OSD; null: the whole cluster. */
  readonly name: string | null;
}

/** Set for ever on every cluster of today, or by its release: they say nothing. */
const ORDINARY = new Set(["sortbitwise", "recovery_deletes", "purged_snapdirs", "pglog_hardlimit"]);
/** What the state of an OSD has besides flags that somebody set. */
const SETTABLE = new Set(["noup", "nodown", "noin", "noout"]);

/** Those that concern any of the OSDs, by place and name. Pure. */
export function coveringFlags(dump: OsdDump, tree: CrushTree, osds: readonly number[]): MapFlag[] {
  const buckets = new Set(osds.flatMap((id) => ancestors(tree, id).map(({ name }) => name)));
  const classes = new Set(osds.flatMap((id) => tree.byId.get(id)?.device_class ?? []));
  const named = (on: "bucket" | "class", flags: Readonly<Record<string, string[]>>, names: Set<string>) =>
    Object.entries(flags)
      .filter(([name]) => names.has(name))
      .flatMap(([name, set]) => set.map((flag) => ({ flag, on, name })));
  return [
    ...dump.flags_set
      .filter((flag) => !ORDINARY.has(flag))
      .map((flag) => ({ flag, on: "cluster" as const, name: null })),
    ...named("bucket", dump.crush_node_flags, buckets),
    ...named("class", dump.device_class_flags, classes),
    ...dump.osds
      .filter(({ osd }) => osds.includes(osd))
      .flatMap(({ osd, state }) =>
        state
          .filter((word) => SETTABLE.has(word))
          .map((flag) => ({ flag, on: "osd" as const, name: `osd.${osd}` })),
      ),
  ];
}
