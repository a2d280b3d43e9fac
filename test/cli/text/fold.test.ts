/** A view taller than the terminal: rows as the terminal breaks them, the worst stay, the rest is counted. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type FoldRow, fold, height, type View, whole } from "../../../src/cli/text/fold.ts";
import { sparkline } from "../../../src/cli/text/format.ts";
import { watch, watches } from "../../../src/cli/text/watch.ts";
import { forAll } from "../../support/for-all.ts";

const row = (name: string, rank: number, word: string): FoldRow => ({ text: `${name}\n`, rank, word });
const DRIVES: View = {
  before: "DEVICE\n",
  rows: [
    ...Array.from({ length: 60 }, (_, at) => row(`sd${at}`, 5, "ok")),
    row("bad1", 0, "failing"),
    ...Array.from({ length: 4 }, (_, at) => row(`sleeper${at}`, 3, "asleep")),
    row("bad2", 2, "with a warning"),
  ],
  after: "\n66 drives\n",
};

test("all of it where it fits, or where nobody knows what fits", () => {
  expect(fold(DRIVES, { columns: 80, rows: 69 })).toBe(whole(DRIVES));
  expect(fold(DRIVES, { columns: 80, rows: undefined })).toBe(whole(DRIVES));
});

test("the worst first, in their order, and what is left out by kind", () => {
  expect(fold(DRIVES, { columns: 80, rows: 6 })).toBe(
    "DEVICE\nbad1\nbad2\n64 more: 4 asleep, 60 ok\n\n66 drives\n",
  );
  expect(fold(DRIVES, { columns: 80, rows: 8 }).split("\n").slice(1, 5)).toEqual([
    "bad1",
    "sleeper0",
    "sleeper1",
    "bad2",
  ]);
});

test("what stands below a list of what is wrong gives way to it", () => {
  const view: View = {
    before: "head\n",
    rows: [
      { text: "  bad\n", rank: 0, word: "error", words: "errors" },
      { text: "  so so\n", rank: 1, word: "warning", words: "warnings" },
      { text: "  so so\n", rank: 1, word: "warning", words: "warnings" },
    ],
    after: "\n1\n2\n3\n4\n5\n",
  };
  expect(fold(view, { columns: 80, rows: 4 })).toBe("head\n  bad\n2 more: 2 warnings\n6 more lines\n");
  expect(fold(view, { columns: 80, rows: 5 })).toBe("head\n  bad\n  so so\n  so so\n6 more lines\n");
});

test("lines are counted as the terminal breaks them: by display width, without colours", () => {
  expect(height("a\n\nb\n", { columns: 80, rows: 1 })).toBe(3);
  expect(height(`${"x".repeat(81)}\n`, { columns: 80, rows: 1 })).toBe(2);
  expect(height(`${"\u6f22".repeat(41)}\n`, { columns: 80, rows: 1 })).toBe(2);
  expect(height(`\u001b[31m${"x".repeat(80)}\u001b[0m\n`, { columns: 80, rows: 1 })).toBe(1);
  expect(height(`${sparkline([1, 2, 3])}\n`, { columns: 3, rows: 1 })).toBe(1);
});

test("a text without a list is cut below, and says so", () => {
  expect(fold("1\n2\n3\n4\n", { columns: 80, rows: 3 })).toBe("1\n2\n2 more lines\n");
  expect(fold(`${"x".repeat(100)}\n2\n3\n`, { columns: 80, rows: 3 })).toBe(
    `${"x".repeat(100)}\n2 more lines\n`,
  );
});

test("whatever it is, it never takes more rows than there are", () => {
  const line = fc
    .tuple(fc.nat(20), fc.nat(90))
    .map(([wide, narrow]) => `${"\u6f22".repeat(wide)}${"x".repeat(narrow)}\n`);
  const lines = (most: number) => fc.array(line, { maxLength: most }).map((all) => all.join(""));
  const rows = fc.array(
    fc.record({ text: lines(3).map((text) => text || "x\n"), rank: fc.nat(4), word: fc.constant("some") }),
    { maxLength: 40 },
  );
  const view = fc.record({ before: lines(4), rows, after: lines(6) });
  const room = fc.record({
    columns: fc.integer({ min: 20, max: 120 }),
    rows: fc.integer({ min: 1, max: 40 }),
  });
  forAll(
    fc.property(view, room, (given, at) => {
      expect(height(fold(given, at), at)).toBeLessThanOrEqual(at.rows);
    }),
    { seed: 11 },
  );
});

test("--watch draws no more rows than the terminal has, its own remark among them, and draws anew at once on a resize", async () => {
  const abort = new AbortController();
  const env: NodeJS.ProcessEnv = { COLUMNS: "80", LINES: "10" };
  const pictures: string[] = [];
  const io = {
    stdout: (text: string) => {
      if (!text.startsWith("\u001b[H")) return;
      pictures.push(text.replace("\u001b[H", "").replace("\u001b[J", "").replaceAll("\u001b[K", ""));
      if (pictures.length === 1) {
        // Nobody waits an hour: only the resize can bring the second one.
        env.LINES = "5";
        setImmediate(() => process.stdout.emit("resize"));
      } else abort.abort();
    },
    stderr: () => undefined,
    isTty: true,
    env,
    color: false,
    now: () => 0,
    signal: abort.signal,
  };
  expect(await watch(io, 3_600_000, async () => DRIVES)).toBe(0);
  expect(pictures.map((text) => height(text, { columns: 80, rows: 0 }))).toEqual([9, 4]);
  expect(pictures[0]).toContain("61 more: 1 asleep, 60 ok\n");
  expect(process.stdout.listenerCount("resize")).toBe(0);
});

test("where nothing can be drawn in place it is shown once, like without --watch", () => {
  const values = { watch: true };
  expect(watches(values, { isTty: true, env: {} })).toBe(true);
  expect(watches(values, { isTty: false, env: {} })).toBe(false);
  expect(watches(values, { isTty: true, env: { TERM: "dumb" } })).toBe(false);
  expect(watches({ watch: true, json: true }, { isTty: true, env: {} })).toBe(false);
});
