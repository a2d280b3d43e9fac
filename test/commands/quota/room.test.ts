/** What it costs to know that a source's part of the journal is used up, when it asks all the same. */
import { expect, test } from "vitest";
import { KEPT_ROWS } from "../../../src/commands/quota/limits.ts";
import { openJournalRoom } from "../../../src/commands/quota/room.ts";
import { START } from "../../support/store/store.ts";

test("a full journal is counted once a minute, however much is asked for, and known as open right after that", () => {
  let rows = KEPT_ROWS;
  let counted = 0;
  let now = START;
  const journalUse = () => {
    counted += 1;
    return { rows, characters: 0 };
  };
  const room = openJournalRoom(
    { journalUse },
    () => now,
    () => 0,
  );
  const asked = { source: "nodefoundry", signature: null };
  for (let at = 0; at < 100; at++) expect(room.fullFor(asked)?.code).toBe("journal_full");
  expect(room.conditions()).toMatchObject([{ code: "journal_full", subject: "nodefoundry" }]);
  expect(counted).toBe(1);
  rows -= 1;
  now += 60_000;
  expect(room.fullFor(asked)).toBeNull();
  expect(room.conditions()).toEqual([]);
  // Where there is room each is counted.
  rows += 1;
  expect(room.fullFor(asked)?.code).toBe("journal_full");
});
