/** The section `system` as Prometheus families, named and labelled as node_exporter's where it has them. */
import type { Metric, Sample } from "../collector.ts";
import type { System } from "./schema.ts";

/** An info metric: value 1, everything in the labels; what is not known is an empty label. */
function info(labels: Record<string, string | null>): Sample[] {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(labels)) texts[name] = value ?? "";
  return [{ value: 1, labels: texts }];
}

function flag(value: boolean | null): Sample[] {
  return value === null ? [] : [{ value: value ? 1 : 0 }];
}

export const systemMetrics: readonly Metric<System>[] = [
  {
    name: "node_boot_time_seconds",
    help: "Unix time of the last boot.",
    type: "gauge",
    samples: ({ boot_time }) => (boot_time === null ? [] : [{ value: Date.parse(boot_time) / 1000 }]),
  },
  {
    name: "node_uname_info",
    help: "What uname(2) says of the running kernel.",
    type: "gauge",
    samples: ({ kernel, hostname, domainname }) =>
      info({
        sysname: "Linux",
        release: kernel.release,
        version: kernel.version,
        machine: kernel.architecture,
        nodename: hostname,
        domainname: domainname ?? "(none)",
      }),
  },
  {
    name: "node_os_info",
    help: "What os-release says of the operating system.",
    type: "gauge",
    samples: ({ os }) => (os === null ? [] : info(os)),
  },
  {
    name: "node_dmi_info",
    help: "Firmware strings of product, board, chassis and BIOS.",
    type: "gauge",
    samples: ({ hardware: { source, product, board, chassis, bios } }) =>
      source !== "dmi"
        ? []
        : info({
            system_vendor: product.vendor,
            product_name: product.name,
            product_version: product.version,
            product_serial: product.serial,
            product_uuid: product.uuid,
            chassis_asset_tag: product.asset_tag,
            chassis_vendor: chassis.vendor,
            chassis_serial: chassis.serial,
            board_vendor: board.vendor,
            board_name: board.name,
            board_version: board.version,
            board_serial: board.serial,
            bios_vendor: bios.vendor,
            bios_version: bios.version,
            bios_date: bios.date,
          }),
  },
  {
    name: "node_timex_sync_status",
    help: "Whether the clock is synchronised with a time server (1 yes, 0 no; absent: not known).",
    type: "gauge",
    samples: ({ clock }) => flag(clock.synchronised),
  },
  {
    name: "foundry_agent_clock_offset_seconds",
    help: "How far the clock was ahead at its last correction, by what its time service wrote down (absent: not known).",
    type: "gauge",
    samples: ({ clock: { offset_s, source } }) =>
      offset_s === null ? [] : [{ value: offset_s, labels: { source: source ?? "" } }],
  },
  {
    name: "node_selinux_enabled",
    help: "Whether SELinux is enabled (1 yes, 0 no; absent: not known).",
    type: "gauge",
    samples: ({ security: { selinux } }) =>
      flag(selinux.state === null ? null : selinux.state !== "disabled"),
  },
  {
    name: "node_selinux_current_mode",
    help: "1 where SELinux enforces, 0 where it only warns.",
    type: "gauge",
    samples: ({ security: { selinux } }) =>
      selinux.state === null || selinux.state === "disabled" ? [] : flag(selinux.state === "enforcing"),
  },
  {
    name: "foundry_agent_secure_boot",
    help: "Whether UEFI secure boot is on (1 yes, 0 no; absent: not known, or no UEFI).",
    type: "gauge",
    samples: ({ boot_mode }) => flag(boot_mode.secure_boot),
  },
  {
    name: "foundry_agent_storage_controller_info",
    help: "One per RAID card or host bus adapter, value is always 1.",
    type: "gauge",
    samples: ({ storage_controllers }) =>
      storage_controllers.flatMap(({ pci_address, kind, model, device, driver, driver_version, firmware }) =>
        info({ pci_address, kind, model: model ?? device, driver, driver_version, firmware }),
      ),
  },
  {
    name: "foundry_agent_reboot_required",
    help: "Whether a reboot is required (1 yes, 0 no; absent: not known).",
    type: "gauge",
    samples: ({ reboot_required }) => flag(reboot_required.required),
  },
];
