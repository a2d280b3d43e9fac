/**
 * Section `system`: host name, ids, operating system, kernel, hardware, virtualisation, clock, reboot wanted,
 * cause of the last boot. Changes a few times a year, so it is read every five minutes, and what can't change
 * while the machine is up (firmware strings, virtualisation) once an hour.
 */
import type { EventDraft } from "../../model/event.ts";
import { NEVER_NEWS } from "../../model/facets.ts";
import type { Files } from "../../system/files.ts";
import { DEFAULT_MACHINE_ID_SALT, machineIdOf, readMachineId } from "../../system/machine-id.ts";
import type { Collector, TableView } from "../collector.ts";
import { parseCpuInfo } from "../linux/cpuinfo.ts";
import { oneLine, readWhole, words } from "../linux/text.ts";
import { readLastBoot } from "./boot.ts";
import { systemConditions } from "./conditions.ts";
import { readHardware } from "./dmi.ts";
import { readBootMode } from "./facts/boot-mode.ts";
import { readClockState } from "./facts/clock.ts";
import { readCommandLine } from "./facts/command-line.ts";
import { readControllers } from "./facts/controllers.ts";
import { readSecurity } from "./facts/security.ts";
import type { RunningKernel } from "./kernel/installed.ts";
import { systemMetrics } from "./metrics.ts";
import { readArchitecture, readHostName, readOsRelease, readTimeZone } from "./os.ts";
import { readRebootRequired } from "./reboot-required.ts";
import { type System, systemSchema, type Virtualization } from "./schema.ts";
import { detectVirtualization } from "./virtualization.ts";

const HOUR_MS = 3_600_000;
/** The boot time is now − uptime: both tick, so a second more or less is the same boot. */
const SAME_BOOT_MS = 2_000;

export function systemCollector(): Collector<System> {
  let fixed: { at: number; value: ReturnType<typeof readFixed> } | null = null;
  let os: { mtimeMs: number; value: System["os"] } | null = null;
  let bootTime: number | null = null;

  return {
    name: "system",
    summary: "Host name, ids, operating system, kernel, hardware, clock, and whether a reboot is wanted.",
    everyMs: 300_000,
    timeoutMs: 5_000,
    get schema() {
      return systemSchema;
    },
    volatile: { uptime_s: { abs: 6 * 3600 }, boot_time: {}, "clock.offset_s": NEVER_NEWS },
    sensitive: [
      "machine_id",
      "hardware.product.serial",
      "hardware.product.uuid",
      "hardware.product.asset_tag",
      "hardware.board.serial",
      "hardware.chassis.serial",
      "hardware.raspberry_pi.serial",
      "storage_controllers[pci_address].serial",
    ],
    metrics: systemMetrics,
    table: systemTable,
    glance: ({ os }) => os?.pretty_name ?? "Linux, which one is not told",
    conditions: systemConditions,
    changes: systemChanges,
    collect({ machine }) {
      const { files, clock } = machine;
      if (fixed === null || clock.monotonic() - fixed.at > HOUR_MS)
        fixed = { at: clock.monotonic(), value: readFixed(files, fixed?.value.boot_mode) };
      const { boot_id, kernel, virtualization, hardware, boot_mode, command_line } = fixed.value;

      const mtimeMs = files.info("/etc/os-release")?.mtimeMs ?? -1;
      if (os === null || os.mtimeMs !== mtimeMs) os = { mtimeMs, value: readOsRelease(files) };

      const uptime_s = readUptime(files);
      const nowBoot = uptime_s === null ? null : clock.now() - uptime_s * 1000;
      if (nowBoot === null || bootTime === null || Math.abs(nowBoot - bootTime) > SAME_BOOT_MS)
        bootTime = nowBoot;

      const rawId = readMachineId(files);
      return {
        ...readHostName(files, () => new Set((machine.addresses() ?? []).map(({ address }) => address))),
        machine_id: rawId === null ? null : machineIdOf(rawId, DEFAULT_MACHINE_ID_SALT),
        boot_id,
        boot_time: bootTime === null ? null : timeText(bootTime),
        uptime_s: uptime_s === null ? null : Math.floor(uptime_s),
        os: os.value,
        kernel,
        virtualization,
        hardware,
        clock: { ...readClockState(files, clock.now()), time_zone: readTimeZone(files) },
        boot_mode,
        command_line,
        security: fixed.value.security,
        storage_controllers: fixed.value.storage_controllers,
        reboot_required: readRebootRequired(files, {
          running: running(kernel, virtualization),
          system: os.value,
          bootTime,
          now: clock.now(),
        }),
        last_boot: lastBoot(files, bootTime, virtualization),
      };
    },
  };
}

/** Null in a container, which did not boot the kernel it runs on. */
function running(
  { release, version }: System["kernel"],
  { container }: Virtualization,
): RunningKernel | null {
  return release === null || container !== null ? null : { release, version };
}

function lastBoot(files: Files, bootTime: number | null, { container }: Virtualization): System["last_boot"] {
  if (container === null) return readLastBoot(files, bootTime);
  return { ...readLastBoot(files, null), way: null };
}

/** What hardly changes before the next boot. How it booted is not asked of the firmware again. */
function readFixed(files: Files, bootMode = readBootMode(files)) {
  const cpuInfo = parseCpuInfo(readWhole(files, "/proc/cpuinfo"));
  return {
    boot_id: readBootId(files),
    kernel: {
      release: oneLine(files.text("/proc/sys/kernel/osrelease")),
      version: oneLine(files.text("/proc/sys/kernel/version")),
      architecture: readArchitecture(files),
    },
    virtualization: detectVirtualization(files, cpuInfo),
    hardware: readHardware(files, cpuInfo),
    boot_mode: bootMode,
    command_line: readCommandLine(files),
    security: readSecurity(files),
    storage_controllers: readControllers(files),
  };
}

function readBootId(files: Files): string | null {
  const found = files.text("/proc/sys/kernel/random/boot_id");
  return found !== null && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(found) ? found : null;
}

/** Seconds since boot: the first of two numbers; lxcfs writes one digit behind the point, gVisor none. */
function readUptime(files: Files): number | null {
  const found = /^(\d{1,12}(?:\.\d{1,9})?) \d+(?:\.\d{1,9})?\n$/.exec(readWhole(files, "/proc/uptime", 128));
  return found ? Number(found[1]) : null;
}

/** RFC 3339 to the second; null for a moment no date can name. */
function timeText(ms: number): string | null {
  const date = new Date(Math.round(ms / 1000) * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().replace(".000Z", "Z");
}

export function systemChanges(before: System | null, after: System): EventDraft[] {
  if (before === null) return [];
  const events: EventDraft[] = [];
  if (before.hostname !== after.hostname)
    events.push({
      type: "system.hostname_changed",
      severity: "warning",
      data: { before: before.hostname, after: after.hostname },
    });
  const [was, is] = [osText(before), osText(after)];
  if (was !== is && is !== null)
    events.push({ type: "system.os_changed", severity: "info", data: { before: was, after: is } });
  return events;
}

function osText(system: System): string | null {
  if (system.os === null) return null;
  const { pretty_name, name, version_id, build_id } = system.os;
  return [pretty_name ?? name, pretty_name?.includes(version_id ?? "") ? null : version_id, build_id]
    .filter((part) => part !== null)
    .join(" ");
}

const systemTable: TableView<System> = {
  columns: ["what", "value"],
  rows(data) {
    const { hardware } = data;
    const { product, board, bios } = hardware;
    return [
      ["host name", data.fqdn ?? data.hostname],
      ["operating system", osText(data)],
      ["kernel", words(data.kernel.release, data.kernel.architecture)],
      ["runs on", runsOn(data)],
      ["product", words(product.vendor, product.name)],
      [
        "serial number",
        product.serial ?? (hardware.denied.includes("product.serial") ? "for root only" : null),
      ],
      ["board", words(board.vendor, board.name)],
      ["BIOS", words(bios.vendor, bios.version, bios.date)],
      ["booted", data.boot_time],
      ["last boot by", data.last_boot.cause?.replaceAll("_", " ") ?? "unknown"],
      ["clock synchronised", yesNo(data.clock.synchronised)],
      ["boot mode", data.boot_mode.mode],
      ["secure boot", data.boot_mode.mode === "uefi" ? yesNo(data.boot_mode.secure_boot) : null],
      ["SELinux", data.security.selinux.state],
      ["AppArmor", yesNo(data.security.apparmor.enabled)],
      ...data.storage_controllers.map(({ kind, driver, ...it }) => [
        `${kind} controller`,
        words(
          it.model ?? it.device ?? it.pci_id,
          driver,
          it.firmware === null ? null : `firmware ${it.firmware}`,
        ),
      ]),
      ["time zone", data.clock.time_zone],
      ["reboot required", yesNo(data.reboot_required.required)],
    ];
  },
};

function runsOn({ virtualization: { vm, container } }: System): string {
  if (vm === "unknown" || container === "unknown") return "unknown";
  const machine = vm === null ? "bare metal" : `a virtual machine (${vm})`;
  return container === null ? machine : `a container (${container}) on ${machine}`;
}

function yesNo(value: boolean | null): string {
  return value === null ? "unknown" : value ? "yes" : "no";
}
