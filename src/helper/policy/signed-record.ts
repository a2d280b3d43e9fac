/**
 * What the helper remembers of signed commands: for which node they are, and when the last one was signed. A file
 * of root's, fsynced before a signed command is carried out.
 *
 * The node: the helper must not ask the main process who this host is, since a hostile one could name any node and
 * bring that one's commands. So the first command whose signature holds says it, once, unless the policy does. The
 * time: a clock that is behind the last signature is wrong, whatever it says.
 */

import * as v from "valibot";
import { AgentError } from "../../model/errors.ts";
import { shellWord } from "../../model/text/shell-word.ts";
import { LATEST_TIME } from "../../system/clock.ts";
import { writeDurable } from "./durable-file.ts";
import { rfc3339, type SignedCommand } from "./signed-command.ts";
import { readTrusted } from "./trusted-file.ts";

const MAX_BYTES = 4_096;

export interface Remembered {
  readonly nodeId: string | null;
  /** Wall clock of who signed, milliseconds since the epoch; the latest that was ever verified. */
  readonly latestIssuedAt: number | null;
}

export interface SignedRecord {
  readonly path: string;
  /** @throws AgentError `record_unusable` */
  read(): Remembered;
  /** After its signature was verified, before it is carried out. @throws AgentError `record_unusable` */
  note(command: SignedCommand): void;
}

const fileSchema = v.strictObject({
  v: v.literal(1),
  node_id: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  latest_issued_at: v.pipe(
    v.string(),
    v.isoTimestamp(),
    v.transform((text) => Date.parse(text)),
    v.number(),
    v.finite(),
  ),
});

/** @param owner uid besides root that may own the file; this process' own */
export function openSignedRecord({ path, owner }: { path: string; owner: number }): SignedRecord {
  function read(): Remembered {
    let value: unknown = null;
    try {
      const text = readTrusted(path, owner, MAX_BYTES);
      if (text === null) return { nodeId: null, latestIssuedAt: null };
      value = JSON.parse(text);
    } catch (error) {
      throw unusable(path, error);
    }
    const file = v.safeParse(fileSchema, value);
    if (!file.success) throw unusable(path, null);
    const { node_id: nodeId, latest_issued_at: latest } = file.output;
    // No signer's clock can have said that, so no clock here is held against it.
    return { nodeId, latestIssuedAt: latest > LATEST_TIME ? null : latest };
  }

  return {
    path,
    read,
    note({ nodeId, issuedAt }) {
      const before = read();
      const latest = Math.max(issuedAt, before.latestIssuedAt ?? issuedAt);
      if (before.nodeId === nodeId && before.latestIssuedAt === latest) return;
      writeDurable(path, JSON.stringify({ v: 1, node_id: nodeId, latest_issued_at: rfc3339(latest) }));
    },
  };
}

/** Not forgotten by itself: who could damage it would choose the node anew. */
function unusable(path: string, cause: unknown): AgentError {
  const word = shellWord(path);
  if (cause instanceof AgentError)
    return new AgentError("record_unusable", `${cause.message}, so nothing signed is done`, cause.nextStep, {
      cause,
    });
  return new AgentError(
    "record_unusable",
    `${path} is damaged, so nothing signed is done`,
    `mv ${word} ${word}.damaged`,
    { cause },
  );
}
