/** What the kernel enforces beyond users and modes: SELinux, AppArmor, lockdown. */
import type { Files } from "../../../system/files.ts";
import { oneLine, readWhole } from "../../linux/text.ts";
import type { Security } from "../schema.ts";

const MODULES = "/sys/kernel/security/lsm";
const PROFILES = "/sys/kernel/security/apparmor/profiles";
const MOST_BYTES = 256 * 1024;

export function readSecurity(files: Files): Security {
  const list = oneLine(files.text(MODULES), 256);
  const modules = list === null ? null : list.split(",").filter((name) => /^[a-z0-9_]{1,32}$/.test(name));
  return {
    modules,
    selinux: readSelinux(files, modules),
    apparmor: readAppArmor(files, modules),
    lockdown: /\[(\w{1,32})\]/.exec(files.text("/sys/kernel/security/lockdown") ?? "")?.[1] ?? null,
  };
}

function readSelinux(files: Files, modules: readonly string[] | null): Security["selinux"] {
  const enforce = files.text("/sys/fs/selinux/enforce");
  const config = readWhole(files, "/etc/selinux/config", 8192);
  const told = (key: string): string | null =>
    new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*(\\w{1,32})`, "m").exec(config)?.[1]?.toLowerCase() ?? null;
  const mode = told("SELINUX");
  return {
    state:
      enforce === "1"
        ? "enforcing"
        : enforce === "0"
          ? "permissive"
          : modules === null || modules.includes("selinux")
            ? null
            : "disabled",
    configured: mode === "enforcing" || mode === "permissive" || mode === "disabled" ? mode : null,
    policy: told("SELINUXTYPE"),
  };
}

function readAppArmor(files: Files, modules: readonly string[] | null): Security["apparmor"] {
  const parameter = files.text("/sys/module/apparmor/parameters/enabled");
  const enabled =
    parameter === null ? (modules === null ? null : modules.includes("apparmor")) : parameter === "Y";
  return { enabled, profiles: enabled === true ? readProfiles(files) : null };
}

/** `docker-default (enforce)`, a line each; only root may look. */
function readProfiles(files: Files): Record<string, number> | null {
  const text = readWhole(files, PROFILES, MOST_BYTES);
  const counts: Record<string, number> = {};
  for (const [, mode = ""] of text.matchAll(/ \((enforce|complain|kill|prompt|unconfined)\)$/gm))
    counts[mode] = (counts[mode] ?? 0) + 1;
  return text === "" ? null : counts;
}
