/**
 * Code in a child without root's rights. It gives them up only when Node runs and what it needs of this checkout
 * is loaded: a clone may lie where nobody else may enter, and no child of another user can begin there.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

export const NOBODY = 65534;

export interface Unprivileged {
  /** JavaScript run with root's rights: `const find = await import(process.argv[1]);`. */
  readonly before?: string;
  /** JavaScript run without. */
  readonly script: string;
  /** `process.argv[1]` and on. */
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

/** As whoever runs the tests when that is not root. @throws as execFile, where it ends with another code than 0 */
export async function runUnprivileged(code: Unprivileged): Promise<{ stdout: string; stderr: string }> {
  const { before = "", script, args, uid = NOBODY, gid = NOBODY } = code;
  const drop = `if (process.getuid() === 0) { process.setgroups([]); process.setgid(${gid}); process.setuid(${uid}); }`;
  return await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", [before, drop, script].join("\n"), ...args],
    { cwd: "/", env: {} },
  );
}
