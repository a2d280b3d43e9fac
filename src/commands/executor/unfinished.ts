/** Every command that is not over, as the journal has it: at most one of them under way, the others wait. */
import { isFinal } from "../../model/command.ts";
import { AgentError } from "../../model/errors.ts";
import type { Journal } from "../journal/journal.ts";
import type { Asked, CommandRecord } from "../record.ts";

const ACTIVE = new Set(["running", "rebooting", "verifying"]);

export const isActive = ({ progress }: CommandRecord): boolean => ACTIVE.has(progress.state);

export interface Unfinished {
  /** In the order in which they came. */
  list(): readonly CommandRecord[];
  /** Anew from the journal. */
  read(): void;
  /** It went on, or is over. */
  put(record: CommandRecord): void;
  /** As it stands by now: somebody may have asked to cancel it while its step was under way. */
  newest(record: CommandRecord): CommandRecord;
  active(): CommandRecord | null;
  waiting(): CommandRecord[];
  /** Of one source; what one user of this host lets wait takes no room from another. */
  count(of: Pick<Asked, "source" | "by">): number;
}

/**
 * @param knows whether this version carries a type out; what it does not know stays as it is, for the version that does
 * @param closeOutdated fails what must not be carried out any more. @throws AgentError: that can't be written down
 */
export function openUnfinished(
  journal: Journal,
  knows: (type: string) => boolean,
  closeOutdated: () => void,
): Unfinished {
  let list: CommandRecord[] = [];
  return {
    list: () => list,
    read() {
      list = [];
      try {
        closeOutdated();
      } catch (error) {
        // It can't be written down that they are not to be carried out: so none is looked at.
        if (error instanceof AgentError) return;
        throw error;
      }
      list = journal.unfinished().filter(({ asked }) => knows(asked.type));
    },
    put(record) {
      list = list
        .map((one) => (one.asked.id === record.asked.id ? record : one))
        .filter((one) => !isFinal(one.progress.state));
    },
    newest: (record) => list.find(({ asked }) => asked.id === record.asked.id) ?? record,
    active: () => list.find(isActive) ?? null,
    waiting: () => list.filter((record) => !isActive(record)),
    count: ({ source, by }) =>
      list.filter(({ asked }) => asked.source === source && asked.by?.uid === by?.uid).length,
  };
}
