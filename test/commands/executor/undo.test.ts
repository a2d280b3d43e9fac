import { expect, it } from "vitest";
import type { ExecutorPorts } from "../../../src/commands/executor/ports.ts";
import { openUndoing } from "../../../src/commands/executor/undo.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { handClock, storedCommand, testStore } from "../../support/store/store.ts";
import { recordedLog } from "../../support/text/log.ts";

it("a source that leaves a hundred changes behind makes no more; another still may", () => {
  const store = testStore(temporaryFolder());
  const ports = {
    state: { journal: store },
    host: { clock: handClock() },
    hands: { undo: {} },
    tell: { log: recordedLog().log },
  } as unknown as ExecutorPorts;
  const undoing = openUndoing(ports, new AbortController().signal, () => undefined);
  store.insertCommand(storedCommand("theirs", { state: "running" }));
  store.insertCommand(storedCommand("here", { state: "running", source: "local" }));
  for (let at = 0; at < 100; at++) undoing.add("theirs", "noout", { at }, 60_000);
  expect(() => undoing.add("theirs", "noout", {}, 60_000)).toThrow("are to be taken back already");
  undoing.add("here", "noout", {}, 60_000);
  expect(store.undo.list()).toHaveLength(101);
});
