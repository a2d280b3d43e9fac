/** The shape of the section `ceph`, as it goes over every wire. Types are inferred from it. */
import * as v from "valibot";

const text = (description: string) => v.pipe(v.nullable(v.string()), v.description(description));
const count = (description: string) => v.pipe(v.nullable(v.number()), v.description(description));
const flag = (description: string) => v.pipe(v.nullable(v.boolean()), v.description(description));

const osdSchema = v.object({
  id: v.number(),
  uuid: text("Its own UUID as this host's names of volumes have it, else as the map has it"),
  drives: v.pipe(
    v.array(v.string()),
    v.description("Kernel names of the whole drives it is on, its DB and WAL among them; empty: not known"),
  ),
  ours: flag(
    "Whether the map's OSD of this id is the one here, by its UUID; false: another cluster's, or an id that was used again; null: not known here",
  ),
  bucket: text("Name of the CRUSH bucket right above it"),
  class: text("Device class: hdd, ssd, nvme, …"),
  up: flag("null: the cluster was not asked, or has no such OSD"),
  in: v.nullable(v.boolean()),
  weight: count("Override weight, 0 to 1"),
  crush_weight: count("By custom the capacity in TiB"),
  capacity_bytes: v.nullable(v.number()),
  used_bytes: v.nullable(v.number()),
});

const checkSchema = v.object({
  code: v.string(),
  severity: v.pipe(v.string(), v.description("HEALTH_WARN or HEALTH_ERR")),
  text: v.string(),
  muted: v.boolean(),
});

const clusterSchema = v.object({
  fsid: v.string(),
  version: text("Of most daemons of the cluster"),
  mixed_versions: v.pipe(v.boolean(), v.description("Daemons of the cluster run different versions")),
  health: v.pipe(v.string(), v.description("HEALTH_OK, HEALTH_WARN or HEALTH_ERR")),
  checks: v.pipe(v.array(checkSchema), v.description("What the cluster complains of, at most 50")),
  buckets: v.pipe(v.array(v.string()), v.description("CRUSH buckets right above the OSDs of this host")),
  flags: v.pipe(
    v.array(
      v.object({
        flag: v.string(),
        on: v.picklist(["cluster", "bucket", "class", "osd"]),
        name: text("Of the bucket, class or OSD; null: the whole cluster"),
      }),
    ),
    v.description("Flags of the map that concern the OSDs of this host"),
  ),
  noout_elsewhere: v.pipe(
    v.array(
      v.object({
        bucket: v.string(),
        all_down: v.pipe(v.boolean(), v.description("None of its OSDs is up")),
        since: text("RFC 3339: since when this agent sees it so; null: some OSD of it is up"),
      }),
    ),
    v.description("Other buckets that are kept from losing data's copies: hosts in maintenance, or left so"),
  ),
});

export const cephSchema = v.object({
  osds: v.pipe(v.array(osdSchema), v.description("Of this host")),
  daemons: v.pipe(
    v.array(v.object({ kind: v.string(), name: v.string() })),
    v.description("Other daemons that this host is set up to run: mon, mgr, mds, rgw, …"),
  ),
  cluster: v.pipe(v.nullable(clusterSchema), v.description("null: it could not be asked")),
  problem: v.pipe(
    v.nullable(v.object({ code: v.string(), text: v.string(), next_step: v.nullable(v.string()) })),
    v.description("Why the cluster could not be asked"),
  ),
});

export type CephData = v.InferOutput<typeof cephSchema>;
export type CephOsd = v.InferOutput<typeof osdSchema>;
export type CephCluster = v.InferOutput<typeof clusterSchema>;
