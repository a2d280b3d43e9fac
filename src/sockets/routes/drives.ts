/**
 * Handlers of /v1/drives (routes.ts): looking on both sockets; asking a drive itself, its light and its
 * self-tests on control.sock only. What changes anything is the helper's to allow, by the host's policy.
 */
import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import { reasonClause } from "../../model/text/need.ts";
import type {
  DrivesWire,
  DriveWire,
  MissingWire,
  OneDriveWire,
  SmartctlWire,
  SmartStateWire,
} from "../wire/drive-schemas.ts";
import { rfc3339 } from "../wire/rfc3339.ts";
import type { LocateWire, ReasonWire, SelfTestWire } from "../wire/schemas.ts";
import { reasonWire } from "../wire/wire.ts";
import {
  type DriveSections,
  driveNames,
  helperName,
  joinedDrives,
  recordsOf,
  smartWay,
} from "./drives-with-smart.ts";
import { isOn } from "./reads.ts";
import type { Call, Data, RouteContext } from "./route.ts";

const DAY_S = 86_400;

/** Body of POST /v1/drives/{drive}/locate. */
export const locateBody = v.strictObject({
  on: v.pipe(v.boolean(), v.description("Whether the light is to blink")),
  for_s: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(DAY_S))),
    v.description("Seconds until it goes off by itself; 600 without it"),
  ),
});

/** Body of POST /v1/drives/{drive}/smart-test. */
export const selfTestBody = v.strictObject({
  test: v.pipe(v.picklist(["short", "long", "abort"]), v.description("abort: end the one that runs")),
});

export function readDrives(context: RouteContext, call: Call): Data<DrivesWire> {
  const { view } = context;
  const section = view.report().sections.drives;
  const { drives, missing } = lists(context, call);
  return {
    data: {
      state: section?.state ?? "pending",
      reason: reasonFor(context, call, "drives"),
      collected_at: rfc3339(section?.collectedAt ?? null),
      smart: smartState(context, call),
      drives,
      missing,
    },
  };
}

export async function readDrive(
  context: RouteContext,
  call: Call,
): Promise<Data<OneDriveWire | SmartctlWire>> {
  const found = findDrive(context, call);
  if (!isOn(call.query, "raw")) {
    const collectedAt = rfc3339(context.view.report().sections.drives?.collectedAt ?? null);
    return {
      data: { ...found.drive, collected_at: collectedAt, smart_state: smartState(context, call) },
    };
  }
  if (call.socket !== "control")
    throw new AgentError(
      "refused",
      "what a drive itself says is shown on control.sock only",
      `sudo foundry-agent drives ${wantedOf(call)} --raw`,
    );
  // Passed on as it is.
  return { data: (await context.view.smartJson(wayOf(context, call, found.drive))) as SmartctlWire };
}

export async function locateDrive(context: RouteContext, call: Call): Promise<Data<LocateWire>> {
  const body = v.safeParse(locateBody, call.body);
  if (!body.success)
    throw new AgentError(
      "bad_request",
      `expected {"on": true} and, if wished, "for_s" from 1 to ${DAY_S}`,
      "foundry-agent drives --help",
    );
  const { on, for_s: forS = null } = body.output;
  const { drive, all } = findDrive(context, call);
  // Before what this drive can't: who mends that would find the next refusal.
  await context.view.mayTouchHardware();
  const name = helperName(drive, all);
  if (name === null)
    throw new AgentError(
      "locate_unsupported",
      `${drive.name} is behind a RAID controller, so only the controller can light its slot`,
      "use the controller's own program (storcli, perccli, ssacli)",
    );
  const done = await context.view.locate({ ...name, on, ...(forS === null ? {} : { for_s: forS }) });
  const offAt = done.for_s === null ? null : context.now() + done.for_s * 1_000;
  return { data: { name: done.name, how: done.how, on: done.on, for_s: done.for_s, off_at: rfc3339(offAt) } };
}

export async function testDrive(context: RouteContext, call: Call): Promise<Data<SelfTestWire>> {
  const body = v.safeParse(selfTestBody, call.body);
  if (!body.success)
    throw new AgentError(
      "bad_request",
      'expected {"test": "short"}, "long" or "abort"',
      "foundry-agent smart-test --help",
    );
  const { drive } = findDrive(context, call);
  await context.view.mayTouchHardware();
  const way = wayOf(context, call, drive);
  const { minutes } = await context.view.selfTest(way, body.output.test);
  return { data: { name: drive.name, test: body.output.test, minutes } };
}

/** The drive that is meant, as this socket may show it, among all. @throws AgentError `no_such_drive` */
export function findDrive(
  context: RouteContext,
  call: Call,
): { drive: DriveWire; all: readonly DriveWire[] } {
  const wanted = wantedOf(call);
  const { drives: all, missing } = lists(context, call);
  const drive = theOneNamed(all, wanted);
  if (drive !== undefined) return { drive, all };
  const gone = missing.find((one) => one.serial === wanted || one.id === wanted);
  if (gone !== undefined)
    throw new AgentError(
      "no_such_drive",
      `the drive ${wanted} is missing${gone.slot === null ? "" : `; it was in slot ${gone.slot}`}`,
      "foundry-agent drives",
    );
  const names = all.map(({ name }) => name).filter((name) => name !== "");
  throw new AgentError(
    "no_such_drive",
    call.socket === "control"
      ? `there is no drive with the name, serial number or id "${wanted}"`
      : `there is no drive with the name "${wanted}" (serial numbers are known on control.sock only)`,
    names.length === 0
      ? "foundry-agent report drives"
      : `foundry-agent drives  # lists ${names.slice(0, 12).join(", ")}`,
  );
}

/** @throws AgentError `drive_ambiguous`: several are meant, and doing something to the wrong one is worse than nothing */
function theOneNamed(all: readonly DriveWire[], wanted: string): DriveWire | undefined {
  const exact = all.find(({ name, id }) => name === wanted || id === wanted);
  if (exact !== undefined) return exact;
  const [first, ...others] = all.filter((one) => driveNames(one).includes(wanted));
  // Namespaces of one NVMe controller are one drive to its light and its self-tests.
  if (first === undefined || others.length === 0 || first.type === "nvme") return first;
  const names = [first, ...others].map(({ name }) => name);
  throw new AgentError(
    "drive_ambiguous",
    `more than one drive is called "${wanted}" (${names.slice(0, 12).join(", ")}); say which by its device`,
    `foundry-agent drives ${names[0]}`,
  );
}

export function wantedOf({ params }: Call): string {
  return (params.drive ?? "").replace(/^\/dev\//, "");
}

/** How smartctl asks this drive. @throws AgentError `no_smart`: nobody can, and what to type */
function wayOf(context: RouteContext, call: Call, drive: DriveWire): { device: string; type: string } {
  const way = smartWay(drive);
  if (way !== null) return way;
  const state = smartState(context, call);
  const why = state?.reason ?? state?.problem ?? null;
  if (state === null)
    throw new AgentError(
      "no_smart",
      "the section smart is switched off in the configuration",
      "foundry-agent config show  # names the file that has collectors.smart.enabled = false",
    );
  if (state.state === "pending")
    throw new AgentError("no_smart", "the drives were not asked yet", "foundry-agent collect smart");
  if (why !== null) throw new AgentError("no_smart", reasonClause(why, "this"), why.next_step);
  throw new AgentError(
    "no_smart",
    `${drive.name} gives no SMART data: virtual disks, SD cards and eMMC have none`,
    "foundry-agent drives",
  );
}

/** Of the section smart as a whole; null where nobody collects it. */
function smartState(context: RouteContext, call: Call): SmartStateWire {
  const { view } = context;
  const section = view.report().sections.smart;
  if (section === undefined && !view.collectors().some(({ name }) => name === "smart")) return null;
  const data = section?.data as { problem?: ReasonWire | null } | null | undefined;
  const problem = data?.problem ?? null;
  return {
    state: section?.state ?? "pending",
    reason: reasonFor(context, call, "smart"),
    problem: call.socket === "control" ? problem : context.texts.hide(problem),
    collected_at: rfc3339(section?.collectedAt ?? null),
  };
}

function reasonFor({ view, texts }: RouteContext, { socket }: Call, name: "drives" | "smart") {
  const reason = reasonWire(view.report().sections[name]?.reason ?? null);
  return socket === "control" ? reason : texts.hide(reason);
}

function lists({ view, texts }: RouteContext, { audience }: Call): Pick<DrivesWire, "drives" | "missing"> {
  const { drives, smart } = view.report().sections;
  const whole: DriveSections = { drives: drives?.data ?? null, smart: smart?.data ?? null };
  const shown = { drives: texts.data(drives, audience), smart: texts.data(smart, audience) };
  // As the two collectors' schemas say, but for what this audience may not see, which is null.
  return {
    drives: joinedDrives(whole, shown) as DriveWire[],
    missing: recordsOf(shown.drives, "missing") as MissingWire[],
  };
}
