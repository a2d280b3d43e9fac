/**
 * What the kernel's words for the state of a path to a drive mean. Tables, because a word that is not in them is not
 * known, and says nothing. SCSI: drivers/scsi/scsi_sysfs.c (sdev_states); NVMe: drivers/nvme/host/sysfs.c
 * (nvme_sysfs_show_state), with the words of older kernels (reconnecting before 4.18, only-admin in 5.0 to 5.2).
 */
import type { Drive, DrivePath } from "./schema.ts";

/** up: takes requests; waiting: none now, and the kernel still tries; lost: it has given up. */
export type Standing = "up" | "waiting" | "lost";

// biome-ignore format: a table is read by its columns
const STANDINGS: Readonly<Record<string, Standing>> = {
  running:             "up",
  quiesce:             "waiting",
  blocked:             "waiting",
  "created-blocked":   "waiting",
  offline:             "lost",
  "transport-offline": "lost",
  cancel:              "lost",
  deleted:             "lost",

  live:                "up",
  new:                 "waiting",
  resetting:           "waiting",
  connecting:          "waiting",
  reconnecting:        "waiting",
  "admin-only":        "lost",
  "only-admin":        "lost",
  deleting:            "lost",
  "deleting (no io)":  "lost",
  dead:                "lost",
};

/** null: there is no such state, or nobody here knows it. */
export function standingOf({ state }: Pick<DrivePath, "state">): Standing | null {
  const word = state?.toLowerCase() ?? "";
  return Object.hasOwn(STANDINGS, word) ? (STANDINGS[word] as Standing) : null;
}

/** Of the drive as a whole. */
export function stateOf(paths: readonly Pick<DrivePath, "state">[]): Drive["state"] {
  const standings = paths.map(standingOf).filter((standing) => standing !== null);
  if (standings.length === 0) return null;
  if (standings.every((standing) => standing === "up")) return "online";
  if (standings.includes("up")) return "degraded";
  return standings.includes("waiting") ? "waiting" : "offline";
}
