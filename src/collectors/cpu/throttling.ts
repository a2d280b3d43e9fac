/**
 * Whether the processor was slowed down against its will. Raspberry Pi: the firmware's flags, of which some
 * kernels show all, some only under-voltage, Debian's none. Intel: counters of thermal events. Everything
 * else says nothing, and that is reported as unknown, never as fine.
 */
import type { Files } from "../../system/files.ts";
import type { Throttling } from "./schema.ts";

const GET_THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled";
const HWMON = "/sys/class/hwmon";

export type ThrottlingSource =
  | { readonly kind: "get_throttled"; readonly path: string }
  | { readonly kind: "rpi_volt"; readonly folder: string }
  | { readonly kind: "thermal_throttle"; readonly packages: readonly { package: string; path: string }[] }
  | { readonly kind: "none" };

/** @param packages the first CPU of each package, whose counter stands for all of them */
export function findThrottling(
  files: Files,
  packages: readonly { package: string; cpu: number }[],
): ThrottlingSource {
  for (const folder of files.list(HWMON))
    if (files.text(`${HWMON}/${folder}/name`) === "rpi_volt")
      return { kind: "rpi_volt", folder: `${HWMON}/${folder}` };
  const counters = packages
    .map(({ package: id, cpu }) => ({
      package: id,
      path: `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle/package_throttle_count`,
    }))
    .filter(({ path }) => files.presence(path) === "yes");
  if (counters.length > 0) return { kind: "thermal_throttle", packages: counters };
  // Only its being there is asked for: each read makes the kernel print a warning with a stack, and taints it.
  return files.presence(GET_THROTTLED) === "yes"
    ? { kind: "get_throttled", path: GET_THROTTLED }
    : { kind: "none" };
}

/** @param before the package counters of the last collection; empty at the first, when "now" can't be told */
export function readThrottling(
  files: Files,
  source: ThrottlingSource,
  before: ReadonlyMap<string, number>,
): Throttling {
  if (source.kind === "get_throttled") {
    const flags = parseThrottledFlags(files.text(source.path) ?? "");
    if (flags !== null) return fromFlags(flags);
  } else if (source.kind === "rpi_volt") {
    const isStillIt = files.text(`${source.folder}/name`) === "rpi_volt";
    const alarm = isStillIt ? files.number(`${source.folder}/in0_lcrit_alarm`) : null;
    if (alarm !== null) return fromUnderVoltage(alarm !== 0);
  } else if (source.kind === "thermal_throttle") {
    const packages = [];
    for (const { package: id, path } of source.packages) {
      const value = files.number(path);
      if (value !== null) packages.push({ package: id, count: value });
    }
    if (packages.length > 0) return fromCounters(packages, before);
  }
  return { ...NOTHING, text: "Whether the processor throttles can't be read on this machine." };
}

/** `50005`, `0x50005` or `throttled=0x50005`: always hexadecimal; null for anything else. */
export function parseThrottledFlags(text: string): number | null {
  const found = /^(?:throttled=)?(?:0x)?([0-9a-f]{1,8})$/i.exec(text.trim());
  return found ? Number.parseInt(found[1] as string, 16) : null;
}

const UNKNOWN_FLAG = { now: null, since_boot: null };
const NOTHING: Throttling = {
  state: "unknown",
  text: "",
  source: null,
  under_voltage: UNKNOWN_FLAG,
  frequency_capped: UNKNOWN_FLAG,
  throttled: UNKNOWN_FLAG,
  soft_temperature_limit: UNKNOWN_FLAG,
  packages: [],
};

/** Bits 0 to 3 are now, 16 to 19 the same since boot. */
export function fromFlags(flags: number): Throttling {
  const bit = (at: number): { now: boolean; since_boot: boolean } => ({
    now: (flags & (1 << at)) !== 0,
    since_boot: (flags & (1 << (at + 16))) !== 0,
  });
  const named = {
    under_voltage: bit(0),
    frequency_capped: bit(1),
    throttled: bit(2),
    soft_temperature_limit: bit(3),
  };
  const list = (when: "now" | "since_boot"): string =>
    Object.entries(named)
      .filter(([, flag]) => flag[when])
      .map(([name]) => name.replaceAll("_", " "))
      .join(", ");
  const [now, earlier] = [list("now"), list("since_boot")];
  const state = now !== "" ? "active" : earlier !== "" ? "earlier" : "none";
  const text =
    state === "none"
      ? "Not throttled since boot."
      : state === "active"
        ? `Now: ${now}.`
        : `Not now, but since boot: ${earlier}.`;
  return { ...NOTHING, ...named, state, text, source: "get_throttled" };
}

/** The driver looks every two seconds and forgets: "no" says nothing of before, nor of heat. */
function fromUnderVoltage(now: boolean): Throttling {
  return {
    ...NOTHING,
    state: now ? "active" : "unknown",
    text: now
      ? "Now: under voltage."
      : "No under-voltage now; whether the processor is capped or throttled can't be read here.",
    source: "rpi_volt",
    under_voltage: { now, since_boot: null },
  };
}

function fromCounters(packages: Throttling["packages"], before: ReadonlyMap<string, number>): Throttling {
  const grew = packages.some(({ package: id, count }) => count > (before.get(id) ?? count));
  const ever = packages.some(({ count }) => count > 0);
  return {
    ...NOTHING,
    state: grew ? "active" : ever ? "earlier" : "none",
    text: grew
      ? "Throttled by heat since the last look."
      : ever
        ? "Throttled by heat at some time since boot."
        : "Not throttled since boot.",
    source: "thermal_throttle",
    throttled: { now: before.size === 0 ? null : grew, since_boot: ever },
    packages,
  };
}
