/** `[collectors.ceph]` of the configuration: as whom the cluster is asked. Without a word of it, as docs/ceph.md sets up. */
import * as v from "valibot";
import type { CephAccess } from "../../ceph/command/failure.ts";
import { AgentError } from "../../model/errors.ts";

const ADMIN = "client.admin";
const path = v.pipe(v.string(), v.maxLength(4_096), v.regex(/^\//, "an absolute path"));

export const cephOptions = {
  foreign_noout_after_s: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(0),
    v.maxValue(31_536_000),
    v.description(
      "Seconds until another host whose OSDs are all down, and kept in by noout, is warned of; 1800 without it",
    ),
  ),
  name: v.pipe(
    v.string(),
    v.regex(/^client\.[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, "client. and a name"),
    v.description("As whom the cluster is asked; client.foundry-agent without it"),
  ),
  conf: v.pipe(path, v.description("Configuration of Ceph; /etc/ceph/ceph.conf without it")),
  keyring: v.pipe(
    path,
    v.description("Keyring with the key of name; /etc/ceph/ceph.NAME.keyring without it"),
  ),
  allow_admin: v.pipe(
    v.boolean(),
    v.description("Whether name may be client.admin, whose key may do everything; false without it"),
  ),
};

/** Half an hour: as long as a maintenance of ours holds at most, and as Rook waits. */
const FOREIGN_NOOUT_S = 1_800;

const schema = v.object({
  name: v.optional(cephOptions.name, "client.foundry-agent"),
  conf: v.optional(cephOptions.conf, "/etc/ceph/ceph.conf"),
  keyring: v.optional(cephOptions.keyring),
  allow_admin: v.optional(cephOptions.allow_admin, false),
  foreign_noout_after_s: v.optional(cephOptions.foreign_noout_after_s, FOREIGN_NOOUT_S),
});

/** Milliseconds. @throws AgentError `ceph_option` */
export function foreignNooutAfter(options: Readonly<Record<string, unknown>>): number {
  return read(options).foreign_noout_after_s * 1_000;
}

/** @throws AgentError `ceph_option`, `ceph_admin_key` */
export function cephAccess(options: Readonly<Record<string, unknown>>): CephAccess {
  const { name, conf, keyring = `/etc/ceph/ceph.${name}.keyring`, allow_admin } = read(options);
  if (name === ADMIN && !allow_admin)
    throw new AgentError(
      "ceph_admin_key",
      `the table [collectors.ceph] names ${ADMIN}, whose key may do everything`,
      "Make a key for client.foundry-agent as docs/ceph.md says, or set allow_admin = true.",
    );
  return { name, conf, keyring };
}

function read(options: Readonly<Record<string, unknown>>): v.InferOutput<typeof schema> {
  const parsed = v.safeParse(schema, options);
  if (parsed.success) return parsed.output;
  throw new AgentError(
    "ceph_option",
    `the table [collectors.ceph] has a mistake: ${parsed.issues[0].message.slice(0, 100)}`,
    "foundry-agent config check",
  );
}
