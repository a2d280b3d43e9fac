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
  synchronised: v.pipe(
    v.nullable(v.boolean()),
    v.description("null: the time service leaves nothing to read"),
  ),
  offset_s: v.pipe(
    v.nullable(v.number()),
    v.description("seconds at the last correction, positive: this clock was ahead; null: not told in a file"),
  ),
  source: v.pipe(text, v.description("the time service that says so, or that runs but can't be asked")),
  time_zone: v.pipe(text, v.description("IANA name")),
});
export type ClockState = v.InferOutput<typeof clockSchema>;

const bootModeSchema = v.object({
  mode: v.pipe(
    v.nullable(v.picklist(["uefi", "bios", "device-tree"])),
    v.description("bios: no UEFI on a PC; device-tree: started by a board's own loader; null: hidden"),
  ),
  secure_boot: v.pipe(
    v.nullable(v.boolean()),
    v.description("null: no UEFI, or its variables can't be read"),
  ),
  eeprom: v.pipe(
    v.nullable(v.object({ version: text, built: text, updated: text })),
    v.description("bootloader of a Raspberry Pi 4 or later: commit, RFC 3339 times"),
  ),
});
export type BootMode = v.InferOutput<typeof bootModeSchema>;

const securitySchema = v.object({
  modules: v.pipe(v.nullable(v.array(v.string())), v.description("Linux security modules that are active")),
  selinux: v.object({
    state: v.pipe(
      v.nullable(v.picklist(["enforcing", "permissive", "disabled"])),
      v.description("null: hidden, as in a container"),
    ),
    configured: v.pipe(
      v.nullable(v.picklist(["enforcing", "permissive", "disabled"])),
      v.description("what /etc/selinux/config wants from the next boot on"),
    ),
    policy: text,
  }),
  apparmor: v.object({
    enabled: v.nullable(v.boolean()),
    profiles: v.pipe(
      v.nullable(v.record(v.string(), v.number())),
      v.description("how many by mode; null: only root may look"),
    ),
  }),
  lockdown: v.pipe(text, v.description("none, integrity or confidentiality")),
});
export type Security = v.InferOutput<typeof securitySchema>;

const controllerSchema = v.object({
  pci_address: v.string(),
  vendor: text,
  device: v.pipe(text, v.description("as udev's database names the chip")),
  model: v.pipe(text, v.description("what the driver calls the card")),
  serial: text,
  driver: text,
  firmware: v.pipe(text, v.description("null: the driver does not tell (megaraid_sas)")),
  kind: v.picklist(["raid", "sas", "sata", "scsi", "fibre-channel", "other"]),
  driver_version: text,
  pci_id: v.pipe(text, v.description("vendor:device")),
  subsystem_id: v.pipe(text, v.description("vendor:device of the card")),
  hosts: v.pipe(v.array(v.string()), v.description("SCSI hosts: host0")),
});
export type StorageController = v.InferOutput<typeof controllerSchema>;

const rebootRequiredSchema = v.object({
  required: v.pipe(v.nullable(v.boolean()), v.description("null: nothing here would tell")),
  since: v.pipe(
    text,
    v.description("RFC 3339; when the first of the reasons came up, never before the boot; null: not known"),
  ),
  reasons: v.pipe(
    v.array(v.picklist(["marker", "kernel", "kernel_rebuilt"])),
    v.description(
      "marker: /run/reboot-required; kernel: a newer one is installed than runs, or another is pinned (Proxmox); kernel_rebuilt: the one that runs was installed anew, under the same name",
    ),
  ),
  packages: v.pipe(v.array(v.string()), v.description("that asked for it, as far as they left their names")),
  newest_kernel: v.pipe(
    text,
    v.description(
      "installed, of the running kernel's line (architecture, flavour), newer than it; or the one that is pinned",
    ),
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
  boot_mode: bootModeSchema,
  command_line: v.pipe(text, v.description("of the kernel; what looks like a secret is ***")),
  security: securitySchema,
  storage_controllers: v.pipe(v.array(controllerSchema), v.description("RAID cards and host bus adapters")),
  reboot_required: rebootRequiredSchema,
  last_boot: lastBootSchema,
});
export type System = v.InferOutput<typeof systemSchema>;
