/** What is wrong with what is built over several drives: md arrays, ZFS pools, btrfs. By the kernel's own tables. */
import { plural } from "../../../model/text/sentence.ts";
import type { MdArray, Pool } from "../schema.ts";
import { isBeyondRepair, memberCounts, wordsOf } from "../use/arrays.ts";
import type { Add } from "./add.ts";

/** Words of a member's state that say it is on its way out. */
const AILING = ["faulty", "write_error", "want_replacement"] as const;

/** A state that is not named here (clear, readonly, read-auto, clean, active, write-pending, active-idle) is as it should be, or somebody's wish. */
export function aboutArray(array: MdArray, add: Add): void {
  const { name, degraded } = array;
  const called = `The RAID ${name} (${array.level ?? "md"})`;
  const next = `mdadm --detail /dev/${name}`;
  if (array.level === "container") return;
  if (isBeyondRepair(array)) {
    const why = degraded ? `it lacks ${degraded} of its members` : "members it can't do without are gone";
    add("raid_failed", name, "error", `${called} has failed: ${why}${blamed(array)}.`, next);
  } else if (array.state === "inactive")
    add(
      "raid_inactive",
      name,
      "error",
      `The RAID ${name} is put together but does not run, so nothing on it can be reached${blamed(array)}.`,
      `${next}  # then, where enough of its members are there: mdadm --run /dev/${name}`,
    );
  else if (array.state === "suspended")
    add("raid_suspended", name, "warning", `${called} is suspended: whoever uses it waits.`, next);
  if (degraded !== null && degraded > 0 && !isBeyondRepair(array))
    add(
      "raid_degraded",
      name,
      "warning",
      `${called} lacks ${degraded} of its members${blamed(array)}${progress(array)}.`,
      next,
    );
  else if (!isBeyondRepair(array))
    for (const member of array.members) {
      const word = AILING.find((ailing) => wordsOf(member).includes(ailing));
      if (word === undefined) continue;
      const what = word === "faulty" ? "was thrown out of" : "has had write errors and should be replaced in";
      add(
        "raid_member_failing",
        `${name} ${member.name}`,
        "warning",
        `The member ${member.name} ${what} the RAID ${name}, which still has all its members otherwise.`,
        next,
      );
    }
}

/** ", sdb1 failed". */
function blamed(array: MdArray): string {
  const failed = array.members.filter((member) => wordsOf(member).includes("faulty"));
  return failed.length === 0 ? "" : `; failed: ${failed.map((member) => member.name).join(", ")}`;
}

function progress(array: MdArray): string {
  const { sync_action: action, sync_done_bytes: done, sync_total_bytes: total } = array;
  if (action === "recover")
    return done === null || !total
      ? "; it is being rebuilt"
      : `; it is being rebuilt, ${Math.floor((done / total) * 100)} % done`;
  if (action === "frozen") return "; its rebuild is held up";
  return memberCounts(array).spare > 0 || action === null ? "" : "; no spare is there to rebuild it";
}

/** Root vdev's states of ZFS (spa_state_to_name, module/zfs/spa_misc.c) that keep somebody from his data. */
const POOL_LOST = new Set(["SUSPENDED", "FAULTED", "UNAVAIL", "REMOVED", "SPLIT"]);

export function aboutPool({ kind, name, state, missing_devices: missing, errors }: Pool, add: Add): void {
  if (state !== null && POOL_LOST.has(state))
    add(
      "pool_failed",
      name,
      "error",
      `The ZFS pool ${name} can't be used (${state.toLowerCase()}).`,
      `zpool status -v ${name}`,
    );
  else if (state === "DEGRADED")
    add("pool_degraded", name, "warning", `The ZFS pool ${name} is degraded.`, `zpool status -v ${name}`);
  if (kind === "btrfs" && missing !== null && missing > 0)
    add(
      "pool_degraded",
      name,
      "warning",
      `The btrfs file system ${name} lacks ${plural(missing, "device")}.`,
      "btrfs filesystem show  # as root; then btrfs replace",
    );
  if (errors !== null && errors > 0)
    add(
      "filesystem_errors",
      name,
      "warning",
      `The devices of the btrfs file system ${name} have recorded ${plural(errors, "error")}.`,
      "btrfs device stats /  # or where it is mounted: says which device; with --reset they are known",
    );
}
