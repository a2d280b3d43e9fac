/**
 * `[collectors.bmc]` of the configuration: where a BMC is asked over the network instead of through /dev/ipmi0
 * (a board whose in-band interface is broken or switched off). Only the configuration can name it, never a
 * control API. The password is a file that ipmitool opens itself.
 */
import * as v from "valibot";
import type { LanTarget } from "../../helper/bmc/ipmitool.ts";
import { AgentError } from "../../model/errors.ts";
import { readSecretFile, secretPath } from "../../system/secret-file.ts";

/** A name or an address; nothing that ipmitool could take for an option. */
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.:_-]{0,252})$/;
const USER = /^[A-Za-z0-9_.@][A-Za-z0-9_.@-]{0,31}$/;

export const bmcOptions = {
  host: v.pipe(
    v.string(),
    v.regex(HOST, "a host name or address"),
    v.description("Ask the BMC over the network (lanplus) at this name or address instead of in-band"),
  ),
  port: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(1),
    v.maxValue(65_535),
    v.description("Its UDP port, 623 without it"),
  ),
  user: v.pipe(
    v.string(),
    v.regex(USER, "a user name of at most 32 characters"),
    v.description("The BMC's user; needed with host"),
  ),
  password_file: v.pipe(
    v.string(),
    v.regex(/^(?:\/|credential:)/, "an absolute path or credential:NAME"),
    v.description("File with the user's password on its first line; needed with host"),
  ),
};

const schema = v.object({
  host: v.optional(bmcOptions.host),
  port: v.optional(bmcOptions.port),
  user: v.optional(bmcOptions.user),
  password_file: v.optional(bmcOptions.password_file),
});

/**
 * Null: in-band.
 * @throws AgentError `bmc_option`, or `secret_missing`, `secret_unreadable`, `secret_exposed` of the password's file
 */
export function lanTarget(options: Readonly<Record<string, unknown>>): LanTarget | null {
  const parsed = v.safeParse(schema, options);
  if (!parsed.success) throw wrong(parsed.issues[0].message);
  const { host, port, user, password_file } = parsed.output;
  if (host === undefined) return null;
  if (user === undefined || password_file === undefined) throw wrong("host needs user and password_file");
  // Checked here as every secret is; ipmitool reads it again, and takes its first line.
  readSecretFile(password_file);
  return { host, port: port ?? null, user, passwordFile: secretPath(password_file) };
}

function wrong(what: string): AgentError {
  return new AgentError(
    "bmc_option",
    `[collectors.bmc] has a mistake: ${what.slice(0, 100)}`,
    "foundry-agent config check",
  );
}
