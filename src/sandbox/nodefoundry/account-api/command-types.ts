/** The command types of the agent API and the shape of their params; defaults filled in. */
import * as v from "valibot";

const osdId = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000));
const osdIds = v.pipe(v.array(osdId), v.minLength(1), v.maxLength(1000));
const ttl = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(7 * 86_400));
/** Bare kernel name: `sda`, `nvme0n1`; never a path. */
const device = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9]{1,31}$/, "expected a bare kernel name like nvme0n1"),
);
const section = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,63}$/, "expected a section's name"));
const cephVersion = v.picklist(["reef", "squid"]);

/** Strict: a misspelt param is an error, not a default. */
export const COMMAND_TYPES = {
  reboot: v.strictObject({
    method: v.optional(v.picklist(["graceful", "hard"]), "graceful"),
    drain_osds: v.optional(v.boolean(), true),
    /** Past windows, sessions and inhibitors, where the host's policy lets it. */
    force: v.optional(v.boolean()),
  }),
  drain: v.strictObject({
    osd_ids: v.optional(osdIds),
    mode: v.optional(v.picklist(["maintenance", "evacuate"]), "maintenance"),
    ttl_s: v.optional(ttl),
  }),
  undrain: v.strictObject({}),
  reweight: v.strictObject({
    osd_id: osdId,
    weight: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  }),
  smart_test: v.strictObject({ device, kind: v.picklist(["short", "long"]) }),
  locate: v.strictObject({
    serial: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
    on: v.boolean(),
    ttl_s: v.optional(ttl, 600),
  }),
  upgrade: v.strictObject({ os_packages: v.optional(v.boolean()), ceph_version: v.optional(cephVersion) }),
  wipe: v.strictObject({ osd_ids: osdIds, confirm: v.literal(true) }),
  collect: v.strictObject({ sections: v.optional(v.pipe(v.array(section), v.maxLength(64))) }),
  diagnostics: v.strictObject({}),
  noop: v.strictObject({}),
} as const;

export type CommandTypeName = keyof typeof COMMAND_TYPES;

export function isCommandType(name: string): name is CommandTypeName {
  return Object.hasOwn(COMMAND_TYPES, name);
}
