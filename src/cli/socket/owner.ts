/**
 * Who may use an agent's socket, for one who may not: an unprivileged agent's is its user's alone, and not
 * every host has the group `foundry-admin`.
 */
import { lstatSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

const ADMINS = "foundry-admin";

/** passwd(5) and group(5); others in tests. */
export interface NameFiles {
  readonly users: string;
  readonly groups: string;
}

/**
 * @param path of the socket, which may not be looked at
 * @param usual the folder that is looked in without `--socket`; null: that was given, and may stay as it was typed
 *   (whether it is the folder of `path` or `path` itself can't be told from outside)
 * @returns `who`: what fits after "is for"; `nextStep`: "…" stands for what was typed (usage.ts)
 */
export function socketOwner(
  path: string,
  usual: string | null,
  { users, groups }: NameFiles = { users: "/etc/passwd", groups: "/etc/group" },
): { who: string; nextStep: string } {
  const folder = dirname(path);
  const nextStep = `sudo foundry-agent …${usual === null || folder === usual ? "" : ` --socket ${folder}`}`;
  const found = lstat(path);
  if (found === undefined) return { who: "root and the user who runs the agent", nextStep };
  if ((found.mode & 0o060) === 0o060 && nameOf(groups, found.gid) === ADMINS)
    return {
      who: `root and the group ${ADMINS}`,
      nextStep: `${nextStep}  # or join the group: sudo usermod -aG ${ADMINS} $USER, then log in again`,
    };
  const user = nameOf(users, found.uid) ?? `with the uid ${found.uid}`;
  return { who: found.uid === 0 ? "root" : `root and the user ${user}`, nextStep };
}

function lstat(path: string): { uid: number; gid: number; mode: number } | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined; // the folder is closed too
  }
}

/** Of passwd(5) or group(5): the first field of the line whose third is `id`. */
function nameOf(file: string, id: number): string | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return null;
  }
  const line = text.split("\n").find((one) => one.split(":")[2] === String(id));
  return line?.split(":")[0] ?? null;
}
