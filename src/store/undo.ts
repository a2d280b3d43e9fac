/** The rows of `undo`: what was changed for a command and has to be taken back, whatever came of it. */
import type { UndoList } from "../commands/journal/store.ts";
import type { Undo } from "../commands/record.ts";
import type { StateFile } from "./file/types.ts";

interface Row {
  readonly number: number;
  readonly command_id: string;
  readonly kind: string;
  readonly args: string;
  readonly until: number;
  readonly since: number;
  readonly tries: number;
  readonly last_error: string | null;
}

const ERROR_CHARACTERS = 500;

export function openUndo(file: StateFile): UndoList {
  return {
    add({ commandId, kind, args, until, since }) {
      file.writeJournal((db) => {
        db.run(
          "INSERT INTO undo (command_id, kind, args, until, since, tries) VALUES (?, ?, ?, ?, ?, 0)",
          commandId,
          kind,
          JSON.stringify(args),
          Math.trunc(until),
          Math.trunc(since),
        );
      });
    },
    list: () => file.read((db) => db.all<Row>("SELECT * FROM undo ORDER BY number")).flatMap(undoOf),
    failed(number, error) {
      file.writeJournal((db) => {
        db.run(
          "UPDATE undo SET tries = tries + 1, last_error = ? WHERE number = ?",
          error.slice(0, ERROR_CHARACTERS),
          number,
        );
      });
    },
    remove: (number) => file.writeJournal((db) => void db.run("DELETE FROM undo WHERE number = ?", number)),
  };
}

/** [] for a row that a flipped bit made unreadable: nobody could say what is to be taken back. */
function undoOf(row: Row): Undo[] {
  try {
    return [
      {
        number: row.number,
        commandId: row.command_id,
        kind: row.kind,
        args: JSON.parse(row.args) as Undo["args"],
        until: row.until,
        since: row.since,
        tries: row.tries,
        lastError: row.last_error,
      },
    ];
  } catch {
    return [];
  }
}
