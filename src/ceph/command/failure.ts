/**
 * What the `ceph` program means when it gives no answer. Its exit code alone says little (a missing keyring is 1, a
 * missing configuration too), so the text decides, as seen on Ceph 16.2 and 18.2. What it prints may name monitors and
 * paths, so no more than a line of it is repeated.
 */
import { AgentError } from "../../model/errors.ts";
import { cutTo, printable, scrubSecrets } from "../../model/text/scrub.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import { span } from "../../model/text/span.ts";
import type { ProgramResult } from "../../system/program.ts";

/** As whom and from where a cluster is asked. */
export interface CephAccess {
  /** Path of a ceph.conf. */
  readonly conf: string;
  /** Of the client whose key it is: `client.foundry-agent`. */
  readonly name: string;
  /** Path of its keyring. */
  readonly keyring: string;
}

/** ETIMEDOUT of Linux: a monitor or the manager gave no answer in time. */
const TIMED_OUT = 110;
/** EACCES. */
const DENIED = 13;
const MAX_LINE = 160;

/**
 * Why there is no answer.
 * @returns AgentError `ceph_silent`, `ceph_unreachable`, `ceph_no_conf`, `ceph_no_keyring`, `ceph_key_refused`,
 * `ceph_denied`, `ceph_answer_too_long`, `ceph_failed`
 */
export function cephFailure(
  access: CephAccess,
  words: readonly string[],
  {
    status,
    ended,
    stdout,
    stderr,
    durationMs,
  }: Pick<ProgramResult, "status" | "ended" | "stdout" | "stderr" | "durationMs">,
): AgentError {
  const call = `ceph ${words.join(" ")}`;
  const text = `${stderr}\n${stdout}`;
  if (ended === "too_much_output")
    return new AgentError("ceph_answer_too_long", `the answer to ${call} is longer than can be right`);
  if (ended !== "exited" || status === TIMED_OUT)
    return new AgentError(
      "ceph_silent",
      `${call} had no answer within ${span(durationMs)}; a manager that is away or busy makes it so`,
      "ceph --connect-timeout 5 status",
    );
  if (/conf_read_file/.test(text))
    return new AgentError(
      "ceph_no_conf",
      `${access.conf} is not there, or is no configuration of Ceph`,
      `ls -l ${shellWord(access.conf)}`,
    );
  if (/unable to find a keyring|no keyring found|keyring not found|(?:parsing|load) .*keyring/.test(text))
    return new AgentError(
      "ceph_no_keyring",
      /\(13\)/.test(text)
        ? `${access.keyring} may not be read by this user`
        : `${access.keyring} is not there, or holds no key of ${access.name}`,
      `ls -l ${shellWord(access.keyring)}`,
    );
  if (/error connecting to the cluster/.test(text) && status === DENIED)
    return new AgentError(
      "ceph_key_refused",
      `the cluster does not take the key of ${access.name} in ${access.keyring}`,
      `Compare it with what ceph auth get ${access.name} says on a host with the administrator's key.`,
    );
  if (status === DENIED)
    return new AgentError(
      "ceph_denied",
      `${access.name} may not do ${call}`,
      "Give it the rights of docs/ceph.md, on a host with the administrator's key.",
    );
  if (/timed out|error connecting to the cluster/.test(text))
    return new AgentError(
      "ceph_unreachable",
      "no monitor of the cluster answers",
      "ceph --connect-timeout 5 status",
    );
  const said = lastLine(text);
  return new AgentError("ceph_failed", `${call} failed${said === "" ? ` (${status})` : `: ${said}`}`);
}

/** Of many lines of a log the last says what came of it. */
function lastLine(text: string): string {
  const lines = text.split("\n").map((line) => printable(line).trim());
  return scrubSecrets(cutTo(MAX_LINE, lines.findLast((line) => line !== "") ?? ""));
}
