/**
 * `drive.locate`: let the light on a drive's slot blink so that somebody finds it, for a time and then off by
 * itself. Pulling the wrong drive costs data, so a name that fits more than one drive is refused.
 */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import type { Operation } from "../operation.ts";
import { type LookedDrive, lookAtDrives, plainWwn } from "./drive.ts";
import { findLed } from "./led.ts";
import type { LocateRecord } from "./record.ts";

const MAX_SECONDS = 86_400;
const DEFAULT_SECONDS = 600;

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(100));
const shared = {
  on: v.boolean(),
  for_s: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SECONDS)), DEFAULT_SECONDS),
};
/** Exactly one of serial, wwn and kernel name. `for_s`: seconds until it goes off, when `on`. */
const argsSchema = v.union([
  v.strictObject({ serial: text, ...shared }),
  v.strictObject({ wwn: text, ...shared }),
  v.strictObject({ name: text, ...shared }),
]);

export type LocateArgs = v.InferOutput<typeof argsSchema>;

export interface Located {
  /** Kernel name of the drive, the first of its paths. */
  readonly name: string;
  readonly how: "enclosure" | "ledctl";
  readonly on: boolean;
  /** Seconds until it goes off by itself; null when it is off. */
  readonly for_s: number | null;
}

/** @throws AgentError (on perform) `drive_unknown`, `drive_ambiguous`, `locate_unsupported`, `locate_failed` */
export function locateOperation(lights: LocateRecord): Operation<LocateArgs, Located> {
  return {
    name: "drive.locate",
    args: argsSchema,
    timeoutMs: 30_000,
    policy: "locate",
    lanes: () => [{ name: "locate", limit: 1 }],
    async perform(args, { files, run, signal }) {
      const drives = findDrive(lookAtDrives(files), args);
      const led = findLed(files, drives);
      await lights.set(led, args.on ? args.for_s * 1_000 : null, run, signal);
      return { name: drives[0].name, how: led.kind, on: args.on, for_s: args.on ? args.for_s : null };
    },
  };
}

/**
 * The drive that is meant: several devices only when they are paths to one drive (same serial and same WWN).
 * @throws AgentError `drive_unknown`, `drive_ambiguous`
 */
export function findDrive(
  drives: readonly LookedDrive[],
  args: { readonly serial?: string; readonly wwn?: string; readonly name?: string },
): readonly [LookedDrive, ...LookedDrive[]] {
  const matches = drives.filter((drive) =>
    args.serial !== undefined
      ? drive.serials.includes(args.serial)
      : args.wwn !== undefined
        ? drive.wwns.includes(plainWwn(args.wwn))
        : drive.name === args.name,
  );
  const [first, ...others] = matches;
  if (first === undefined)
    throw new AgentError("drive_unknown", "this host has no such drive", "foundry-agent drives");
  const sameDrive = (other: LookedDrive): boolean =>
    other.serials.some((serial) => first.serials.includes(serial)) &&
    other.wwns.some((wwn) => first.wwns.includes(wwn));
  if (!others.every(sameDrive))
    throw new AgentError(
      "drive_ambiguous",
      `${matches.map(({ name }) => name).join(", ")} all answer to it, so none is touched`,
      "name the drive by its kernel name: foundry-agent drives",
    );
  return [first, ...others];
}
