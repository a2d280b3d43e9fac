/**
 * Whether the clock is synchronised and how far it was off, from what time services leave behind; none of them is
 * asked. The kernel's own flag (STA_UNSYNC of adjtimex) is in no file, so where a service leaves nothing to read it is
 * not known.
 */
import type { Files } from "../../../system/files.ts";
import { readWhole } from "../../linux/text.ts";
import type { ClockState } from "../schema.ts";

/** After so long without a correction the kernel itself calls the clock unsynchronised: 16 s at 500 ppm. */
const HOLDS_MS = 32_000_000;
/** Both write a line at each correction, 2^10 s apart where nothing else is configured. */
const FRESH_MS = 3_600_000;
const TIMESYNCD = "/run/systemd/timesync";
/** The end of a log that may be large. */
const MOST_BYTES = 512 * 1024;

type Told = Pick<ClockState, "synchronised" | "offset_s">;
const NOTHING: Told = { synchronised: null, offset_s: null };

interface Service {
  readonly name: string;
  /** There while it runs. */
  readonly signs: readonly string[];
  readonly told: (files: Files, now: number) => Told;
}

const SERVICES: readonly Service[] = [
  { name: "systemd-timesyncd", signs: [TIMESYNCD], told: timesyncd },
  { name: "chrony", signs: ["/run/chrony", "/run/chronyd.pid", "/run/chrony.pid"], told: chrony },
  { name: "ntpd", signs: ["/run/ntpd.pid", "/run/ntp.pid", "/var/run/ntpd.pid"], told: ntpd },
  { name: "openntpd", signs: ["/run/openntpd.sock", "/run/ntpd.sock"], told: () => NOTHING },
  { name: "ptp4l", signs: ["/run/ptp4l", "/run/ptp4lro"], told: () => NOTHING },
];

/** @param now wall clock, milliseconds since the epoch */
export function readClockState(files: Files, now: number): Omit<ClockState, "time_zone"> {
  const service = SERVICES.find(({ signs }) => signs.some((path) => files.presence(path) === "yes"));
  return service === undefined
    ? { ...NOTHING, source: null }
    : { ...service.told(files, now), source: service.name };
}

/** Its file is touched at each correction, and stays when there are none any more. */
function timesyncd(files: Files, now: number): Told {
  const path = `${TIMESYNCD}/synchronized`;
  const answer = files.presence(path);
  if (answer === "denied") return NOTHING;
  const touched = files.info(path)?.mtimeMs;
  if (answer === "no") return { synchronised: false, offset_s: null };
  return { synchronised: touched === undefined ? true : now - touched < HOLDS_MS, offset_s: null };
}

/**
 * tracking.log (chrony.conf(5), `log tracking`), where an administrator has it and lets others read it:
 * date, time, address, stratum, frequency, skew, offset, leap, …
 */
function chrony(files: Files, now: number): Told {
  const line = lastLine(files, "/var/log/chrony/tracking.log", /^\d{4}-\d{2}-\d{2} /);
  const [date = "", time = "", , stratum = "", , , offset = "", leap = ""] = line.trim().split(/\s+/);
  const at = Date.parse(`${date}T${time}Z`);
  if (Number.isNaN(at) || Math.abs(now - at) > FRESH_MS) return NOTHING;
  const found = Number(offset);
  return {
    synchronised: leap !== "?" && /^(?:[1-9]|1[0-5])$/.test(stratum),
    // Positive there, too: this clock is ahead.
    offset_s: offset === "" || !Number.isFinite(found) ? null : found,
  };
}

/** loopstats of ntpd and ntpsec (`statsdir`): Modified Julian Day, seconds of it, offset, … A line is a correction. */
function ntpd(files: Files, now: number): Told {
  for (const folder of ["/var/log/ntpstats", "/var/log/ntpsec", "/var/log/ntp"]) {
    const [day = "", second = "", offset = ""] = lastLine(files, `${folder}/loopstats`, /^\d{5} /).split(" ");
    const at = (Number(day) - 40_587) * 86_400_000 + Number(second) * 1000;
    const found = Number(offset);
    if (offset === "" || !Number.isFinite(found) || !(Math.abs(now - at) <= FRESH_MS)) continue;
    // Positive there: this clock is slow.
    return { synchronised: true, offset_s: -found };
  }
  return NOTHING;
}

/** The last whole line of this form; "" where there is none. */
function lastLine(files: Files, path: string, form: RegExp): string {
  const size = files.info(path)?.size ?? 0;
  if (size === 0 || size > MOST_BYTES) return "";
  const lines = readWhole(files, path, MOST_BYTES).split("\n").slice(0, -1);
  return lines.findLast((line) => form.test(line.trim())) ?? "";
}
