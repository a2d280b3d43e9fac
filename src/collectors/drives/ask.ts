/**
 * The questions a drive itself may have to answer, and a sick one never does: its temperature and the space
 * of the file systems on it. They go through the slow lane, one at a time, each drive under its own name;
 * whatever comes of it, the rest of the section is complete.
 */
import { errorCode } from "../../model/errors.ts";
import type { Files } from "../../system/files.ts";
import type { DriveMount } from "./schema.ts";

/** hwmon temperature files by what they belong to: `nvme0`, a PCI address, a SCSI address. */
export type Sensors = ReadonlyMap<string, string>;

export interface Temperature {
  readonly celsius: number | null;
  /** Error code, `stopped` when there was no time left, or null. */
  readonly problem: string | null;
}

export const NO_SENSOR: Temperature = { celsius: null, problem: null };

/**
 * The drives' hwmon devices (kernel, Documentation/hwmon/{nvme,drivetemp}.rst); reading `name` asks nobody.
 * @param drivetemp also those of SATA drives, where a read can reset the timer that lets the drive sleep
 */
export function findSensors(files: Files, drivetemp: boolean): Sensors {
  const sensors = new Map<string, string>();
  for (const name of files.list("/sys/class/hwmon")) {
    const at = `/sys/class/hwmon/${name}`;
    const kind = files.text(`${at}/name`);
    if (kind !== "nvme" && !(drivetemp && kind === "drivetemp")) continue;
    // The folder it is in: …/nvme/nvme0/hwmon1, …/0000:01:00.0/hwmon/hwmon1, …/0:0:0:0/hwmon/hwmon2.
    const owner = /\/([^/]+)(?:\/hwmon)?\/hwmon\d+$/.exec(files.link(at) ?? "")?.[1];
    if (owner !== undefined) sensors.set(owner, `${at}/temp1_input`);
  }
  return sensors;
}

/** @param file temp1_input, thousandths of a degree Celsius; @param subject the drive's kernel name */
export async function askTemperature(
  files: Files,
  file: string,
  subject: string,
  signal: AbortSignal,
): Promise<Temperature> {
  if (signal.aborted) return { celsius: null, problem: "stopped" };
  try {
    const millidegrees = Number(await files.slow.read(file, subject));
    // −273 °C and the like is what a drive says that has no sensor behind the register.
    if (!Number.isFinite(millidegrees) || millidegrees < -60_000 || millidegrees > 200_000)
      return { celsius: null, problem: "not_a_temperature" };
    return { celsius: Math.round(millidegrees / 100) / 10, problem: null };
  } catch (error) {
    return { celsius: null, problem: errorCode(error) };
  }
}

/**
 * Size and use of a mounted file system; the fields stay null with a code when they can't be had. One whose path does
 * not lead to it (`use_problem` is set already) is not asked.
 */
export async function askSpace(
  files: Files,
  mount: DriveMount,
  subject: string,
  signal: AbortSignal,
): Promise<DriveMount> {
  if (mount.use_problem !== null) return mount;
  if (signal.aborted) return { ...mount, use_problem: "stopped" };
  try {
    const space = await files.slow.space(mount.mountpoint, subject);
    return {
      ...mount,
      size_bytes: space.total_bytes,
      used_bytes: space.total_bytes - space.free_bytes,
      available_bytes: space.available_bytes,
      files: space.files,
      files_free: space.files_free,
    };
  } catch (error) {
    return { ...mount, use_problem: errorCode(error) };
  }
}

/** ext4's own count of errors (kernel, Documentation/ABI/testing/sysfs-fs-ext4), in memory since mounting. */
export function ext4Errors(files: Files, device: string): Pick<DriveMount, "errors" | "first_error_at"> {
  const errors = files.number(`/sys/fs/ext4/${device}/errors_count`);
  const first =
    errors === null || errors === 0 ? null : files.number(`/sys/fs/ext4/${device}/first_error_time`);
  const known = first !== null && first > 0 && first < 1e11;
  return { errors, first_error_at: known ? new Date(first * 1000).toISOString() : null };
}
