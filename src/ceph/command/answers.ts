/**
 * Shapes of what `ceph --format json` answers, as far as it is used: Ceph 16.2 to 20.2 give these alike. Numbers that
 * Ceph computes may be "nan" or "inf" in JSON's place, so what is no number is null.
 */
import * as v from "valibot";
import { UUID } from "../uuid.ts";

const id = v.pipe(v.number(), v.safeInteger());
const osdId = v.pipe(id, v.minValue(0), v.maxValue(10_000_000));
const name = v.pipe(v.string(), v.maxLength(256));
const number = v.fallback(v.nullable(v.number()), null);
const flags = v.array(name);
/** By bucket or class; older answers and empty ones have a list there. */
const flagsByName = v.fallback(v.record(name, flags), {});
const uuid = v.pipe(v.string(), v.regex(new RegExp(`^${UUID}$`)));
/** A flag as a number, as this map has them. */
const bit = v.pipe(
  v.union([v.literal(0), v.literal(1), v.boolean()]),
  v.transform((bit) => bit === true || bit === 1),
);

/** `osd dump`. */
export const osdDump = v.object({
  epoch: id,
  fsid: uuid,
  flags_set: flags,
  crush_node_flags: flagsByName,
  device_class_flags: flagsByName,
  osds: v.array(v.object({ osd: osdId, uuid: v.string(), up: bit, in: bit, weight: number, state: flags })),
});

/** `osd tree`: buckets have ids below 0 and children, OSDs from 0 on. */
export const osdTree = v.object({
  nodes: v.array(
    v.object({
      id,
      name,
      type: name,
      children: v.optional(v.array(id), []),
      device_class: v.optional(name),
      crush_weight: v.optional(number),
      reweight: v.optional(number),
    }),
  ),
});

/** `osd df`: KiB. */
export const osdDf = v.object({
  nodes: v.array(v.object({ id, kb: number, kb_used: number })),
});

/** `health detail`. */
export const health = v.object({
  status: name,
  checks: v.fallback(
    v.record(
      name,
      v.object({
        severity: name,
        summary: v.object({ message: v.string() }),
        muted: v.optional(v.boolean(), false),
      }),
    ),
    {},
  ),
});

/** `versions`: how many daemons of each kind run which. */
export const versions = v.record(name, v.record(v.string(), v.number()));

export type OsdDump = v.InferOutput<typeof osdDump>;
export type OsdTree = v.InferOutput<typeof osdTree>;
export type OsdDf = v.InferOutput<typeof osdDf>;
export type Health = v.InferOutput<typeof health>;
