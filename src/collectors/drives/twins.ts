/**
 * Drives that tell the same serial number or WWN and are not one: each has a key of its own here, but what names
 * drives by these elsewhere may take one for the other. Pure.
 */
import type { ConditionDraft } from "../../model/condition.ts";
import type { Drive } from "./schema.ts";

export type Shared = "serial" | "wwn";

/** Names of drives that share something, each group sorted by name. */
export function twinsOf(drives: readonly Drive[]): { share: Shared; devices: string[] }[] {
  return (["wwn", "serial"] as const).flatMap((share) => {
    const groups = Map.groupBy(drives, (drive) => drive[share]?.replace(/\s/g, "").toUpperCase());
    return [...groups].flatMap(([text, group]) =>
      text === undefined || group.length < 2 || areParts(group)
        ? []
        : [{ share, devices: group.map(({ name }) => name) }],
    );
  });
}

/** Namespaces of one controller, the actuators of one disk, what one array serves: their maker meant it. */
function areParts(group: readonly Drive[]): boolean {
  if (group.every(({ transport }) => /^(?:iscsi|fc|nvme-.*)$/.test(transport ?? ""))) return true;
  const addresses = group.map(({ paths }) => paths.map(({ address }) => address).filter((it) => it !== null));
  return addresses.every((own) => own.some((address) => addresses[0]?.includes(address)));
}

/** @param devices at least two */
export function sharedCondition(share: Shared, devices: readonly string[]): ConditionDraft {
  const names =
    devices.length > 4
      ? `${devices.slice(0, 3).join(", ")} and ${devices.length - 3} more`
      : `${devices.slice(0, -1).join(", ")} and ${devices.at(-1)}`;
  const subject = devices.slice(0, 8).join(",");
  if (share === "wwn")
    return {
      code: "drive_wwn_shared",
      subject,
      severity: "info",
      text: `The drives ${names} are different ones with the same WWN, so each has a key of its own here, but multipathd may take them for one.`,
      nextStep: "ls -l /dev/disk/by-path  # name them by their place where it matters",
    };
  return {
    code: "drive_serial_shared",
    subject,
    severity: "info",
    text: `The drives ${names} are different ones with the same serial number, so where nothing else tells them apart they are known by their place.`,
    nextStep: "ls -l /dev/disk/by-path  # name them by their place where it matters",
  };
}
