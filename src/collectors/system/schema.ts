/** Shape of the section `system`: which machine this is, what runs on it, and how it came up. */
import * as v from "valibot";

const text = v.nullable(v.string());

const osSchema = v.object({
  id: text,
  id_like: text,
  name: text,
  pretty_name: text,
  version: text,
  version_id: text,
  version_codename: text,
  variant: text,
  variant_id: text,
  build_id: text,
  image_id: text,
  image_version: text,
});
export type OsRelease = v.InferOutput<typeof osSchema>;

const hardwareSchema = v.object({
  source: v.pipe(
    v.nullable(v.picklist(["dmi", "device-tree"])),
    v.description("null: neither is there, as in a container"),
  ),
  product: v.object({
    vendor: text,
    name: text,
    version: text,
    serial: text,
    uuid: text,
    asset_tag: text,
  }),
  board: v.object({ vendor: text, name: text, version: text, serial: text }),
  chassis: v.object({ vendor: text, serial: text }),
  bios: v.object({
    vendor: text,
    version: text,
    date: v.pipe(text, v.description("YYYY-MM-DD, or as the firmware writes it")),
  }),
  raspberry_pi: v.nullable(v.object({ model: text, serial: text, revision: text })),
  denied: v.pipe(
    v.array(v.string()),
    v.description("fields that are there but only root may read, so null does not mean 'has none'"),
  ),
});
export type Hardware = v.InferOutput<typeof hardwareSchema>;

const virtualizationSchema = v.object({
  vm: v.pipe(
    text,
    v.description("as systemd-detect-virt --vm names it; null: bare metal; unknown: can't be told"),
  ),
  container: v.pipe(
    text,
    v.description("as systemd-detect-virt --container names it; null: not in one; unknown: can't be told"),
  ),
});
export type Virtualization = v.InferOutput<typeof virtualizationSchema>;

const clockSchema = v.object({
  synchronised: v.pipe(v.nullable(v.boolean()), v.description("null: nobody we can ask cheaply knows")),
  source: v.pipe(text, v.description("the time service that says so, or that runs but can't be asked")),
  time_zone: v.pipe(text, v.description("IANA name")),
});
export type ClockState = v.InferOutput<typeof clockSchema>;

const rebootRequiredSchema = v.object({
  required: v.pipe(v.nullable(v.boolean()), v.description("null: nothing here would tell")),
  since: v.pipe(
    text,
    v.description("RFC 3339; when the first of the reasons came up, never before the boot; null: not known"),
  ),
  reasons: v.pipe(
    v.array(v.picklist(["marker", "kernel", "kernel_rebuilt"])),
    v.description(
      "marker: /run/reboot-required; kernel: a newer one is installed than runs; kernel_rebuilt: the one that runs was installed anew, under the same name",
    ),
  ),
  packages: v.pipe(v.array(v.string()), v.description("that asked for it, as far as they left their names")),
  newest_kernel: v.pipe(
    text,
    v.description("installed, of the running kernel's line (architecture, flavour), newer than it"),
  ),
});
export type RebootRequired = v.InferOutput<typeof rebootRequiredSchema>;

const lastBootSchema = v.object({
  cause: v.pipe(
    v.nullable(
      v.picklist([
        "kernel_panic",
        "watchdog",
        "overheat",
        "under_voltage",
        "over_voltage",
        "power_on",
        "reset",
      ]),
    ),
    v.description("null: not known; reset: a restart or a watchdog, the hardware does not tell which"),
  ),
  source: v.pipe(text, v.description("where the cause was read")),
  kernel_dumps: v.pipe(
    v.nullable(v.number()),
    v.description("crash records kept in /sys/fs/pstore; null: may not be looked at"),
  ),
  way: v.pipe(
    v.nullable(v.picklist(["firmware", "kexec"])),
    v.description("kexec: started by the kernel before it, past the firmware; null: not known"),
  ),
});
export type LastBoot = v.InferOutput<typeof lastBootSchema>;

export const systemSchema = v.object({
  hostname: text,
  hostname_cut: v.pipe(v.boolean(), v.description("longer than the 253 characters a host name may have")),
  fqdn: v.pipe(text, v.description("from /etc/hosts and the kernel's domain name; DNS is not asked")),
  domainname: v.pipe(text, v.description("NIS domain of the kernel")),
  machine_id: v.pipe(text, v.description("HMAC-SHA-256 of /etc/machine-id with the salt foundry-agent/v1")),
  boot_id: text,
  boot_time: v.pipe(text, v.description("RFC 3339; moves when a machine without a clock learns the time")),
  uptime_s: v.nullable(v.number()),
  os: v.nullable(osSchema),
  kernel: v.object({ release: text, version: text, architecture: text }),
  virtualization: virtualizationSchema,
  hardware: hardwareSchema,
  clock: clockSchema,
  reboot_required: rebootRequiredSchema,
  last_boot: lastBootSchema,
});
export type System = v.InferOutput<typeof systemSchema>;
