/**
 * The light on a drive's slot: where it is and how it is switched. An SES enclosure shows each slot as a folder
 * of /sys/class/enclosure with a `locate` file and a link `device` to the drive in it (kernel,
 * drivers/misc/enclosure.c); everything else `ledctl` (ledmon) may know: NVMe bays by NPEM or VMD, AHCI by SGPIO.
 *
 * Switched by child processes only, because an enclosure can take its time to answer: a child has a time-out and
 * is killed, a hung write of our own would hang with us.
 */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import type { Files } from "../../system/files.ts";
import type { RunProgram } from "../../system/program.ts";
import type { LookedDrive } from "./drive.ts";

/** A folder or file of sysfs as the kernel names them; no path can be made of it. */
const component = v.pipe(v.string(), v.regex(/^(?!\.{1,2}$)[^/\0]{1,128}$/));

export const ledSchema = v.variant("kind", [
  v.strictObject({ kind: v.literal("enclosure"), enclosure: component, slot: component }),
  v.strictObject({ kind: v.literal("ledctl"), device: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9]{1,31}$/)) }),
]);

export type Led = v.InferOutput<typeof ledSchema>;

const ENCLOSURES = "/sys/class/enclosure";
const SWITCH_MS = 15_000;

/** The slot of the drive in an enclosure, else what ledctl may find. Of several paths the first that has one. */
export function findLed(files: Files, drives: readonly [LookedDrive, ...LookedDrive[]]): Led {
  const addresses = drives.map(({ hctl }) => hctl).filter((hctl) => hctl !== null);
  for (const enclosure of files.list(ENCLOSURES)) {
    for (const slot of files.list(`${ENCLOSURES}/${enclosure}`)) {
      const at = `${ENCLOSURES}/${enclosure}/${slot}`;
      const drive = files.link(`${at}/device`);
      if (drive === null || files.presence(`${at}/locate`) !== "yes") continue;
      if (addresses.includes(drive.slice(drive.lastIndexOf("/") + 1)))
        return { kind: "enclosure", enclosure, slot };
    }
  }
  return { kind: "ledctl", device: drives[0].name };
}

export interface LedTools {
  readonly files: Files;
  readonly run: RunProgram;
}

/** @throws AgentError `locate_unsupported` (nothing here can switch it), `locate_hangs`, `locate_failed` */
export async function switchLed(led: Led, on: boolean, tools: LedTools, signal?: AbortSignal): Promise<void> {
  const timed = { timeoutMs: SWITCH_MS, ...(signal ? { signal } : {}) };
  const [argv, input] = commandFor(led, on, tools.files);
  let result: Awaited<ReturnType<RunProgram>>;
  try {
    result = await tools.run(argv, input === null ? timed : { ...timed, input });
  } catch (error) {
    if (!(error instanceof AgentError && error.code === "program_missing")) throw error;
    throw new AgentError(
      "locate_unsupported",
      `no enclosure shows the slot of this drive, and ${argv[0]} is not installed`,
      "apt install ledmon",
      { cause: error },
    );
  }
  if (result.ended === "exited" && result.status === 0) return;
  if (result.lingering !== null)
    throw new AgentError(
      "locate_hangs",
      `${argv[0]} can't be ended: the enclosure does not answer the kernel`,
    );
  const said =
    result.stderr
      .split("\n")[0]
      ?.replace(/[^\x20-\x7e]/g, "?")
      .slice(0, 200) ?? "";
  throw new AgentError(
    "locate_failed",
    `the light could not be switched ${on ? "on" : "off"} (${argv[0]}: ${said || `${result.ended} ${result.status ?? ""}`.trim()})`,
    led.kind === "ledctl" ? "ledctl --list-controllers" : `ls -l ${ENCLOSURES}/`,
  );
}

function commandFor(led: Led, on: boolean, files: Files): [readonly [string, ...string[]], string | null] {
  if (led.kind === "ledctl") return [["ledctl", `${on ? "locate" : "locate_off"}=/dev/${led.device}`], null];
  const path = `${ENCLOSURES}/${led.enclosure}/${led.slot}/locate`;
  return [["tee", files.root === "/" ? path : `${files.root}${path}`], on ? "1" : "0"];
}
