/**
 * The helper's own check of a signed command. The main process may be anybody's by now: it chooses the text, the
 * signature, the id, the operation and its arguments, and says where the command comes from. So nothing counts but
 * the policy's key, root's own record, and the wall clock, which the main process can't set.
 */

import { AgentError } from "../../model/errors.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import { EARLIEST_TIME } from "../../system/clock.ts";
import {
  CLOCK_TOLERANCE_MS,
  foreign,
  noTrustedTime,
  rfc3339,
  type Signed,
  type SignedCommand,
  unsigned,
  untimely,
  verifiedCommand,
} from "./signed-command.ts";
import type { SignedRecord } from "./signed-record.ts";

export interface SignatureQuestion {
  /** What came with the call; null when nothing did. */
  readonly signed: Signed | null;
  /** Of the call. */
  readonly id: string;
  /** The policy's word for what is asked, which is the command's type. */
  readonly word: string;
  readonly policy: { readonly publicKey: string; readonly nodeId: string | null };
  /** For sentences. */
  readonly policyPath: string;
  readonly record: SignedRecord;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  /** Whether a command with these params asks for what the call would do. */
  covers(params: SignedCommand["params"]): boolean;
}

/**
 * The command that allows this call. Changes nothing: who carries it out notes it in the record first.
 * @throws AgentError `unsigned`, `bad_signature`, `malformed`, `foreign`, `no_trusted_time`, `expired`,
 * `from_the_future`; `record_unusable`
 */
export function checkSigned(question: SignatureQuestion): SignedCommand {
  const { signed, id, word, policy, policyPath, record, now, covers } = question;
  if (signed === null) throw unsigned(word);
  const command = verifiedCommand(signed, policy.publicKey);
  const { nodeId: pinned, latestIssuedAt } = record.read();
  const isPinned = policy.nodeId === null && pinned !== null;
  if (isPinned && command.nodeId !== pinned)
    throw new AgentError(
      "foreign",
      `the command was signed for the node ${command.nodeId}, and the first one here was for ${pinned}`,
      `if this host is ${command.nodeId}: write node_id = "${command.nodeId}" below [commands] in ${policyPath}`,
    );
  const refused = foreign(command, { id, type: word, nodeId: policy.nodeId ?? pinned, live: true, covers });
  if (refused !== null) throw refused;
  if (now < EARLIEST_TIME) throw noTrustedTime(`the clock of this host says ${rfc3339(now)}`);
  if (latestIssuedAt !== null && now < latestIssuedAt - CLOCK_TOLERANCE_MS)
    throw noTrustedTime(
      `the clock of this host says ${rfc3339(now)}, and one was signed at ${rfc3339(latestIssuedAt)} already`,
      // Not by itself: a clock set back is how an old command would be played again.
      `timedatectl  # if this clock is right, that signer's was ahead: sudo sed -i s/${rfc3339(latestIssuedAt)}/${rfc3339(now)}/ ${shellWord(record.path)}`,
    );
  const late = untimely(command, now);
  if (late !== null) throw late;
  return command;
}
