/** Sentences are made in one place, and never taken apart again to get data out of them. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { needText, reasonClause } from "../../../src/model/text/need.ts";
import { clause, ended, plural, sentence } from "../../../src/model/text/sentence.ts";
import { span } from "../../../src/model/text/span.ts";

/** Every file of the program: name and text. */
function sources(): [name: string, text: string][] {
  const src = new URL("../../../src/", import.meta.url);
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => [name, readFileSync(new URL(name, src), "utf8")]);
}

it("a sentence has a capital and one end", () => {
  expect(sentence("the program smartctl is not installed")).toBe("The program smartctl is not installed.");
  expect(sentence("There is no BMC.")).toBe("There is no BMC.");
  expect(sentence("/dev/ipmi0 may not be opened")).toBe("/dev/ipmi0 may not be opened.");
  expect(["really?", "stop!", "and so on …", ""].map(ended)).toEqual([
    "really?",
    "stop!",
    "and so on …",
    ".",
  ]);
  expect(ended("foundry-agent: it is down (503)")).toBe("foundry-agent: it is down (503).");
});

it("a clause has no end, and a capital only where it begins with a name", () => {
  expect(clause("No drive here gives SMART data.")).toBe("no drive here gives SMART data");
  expect(clause("The BMC did not answer within 25 s")).toBe("the BMC did not answer within 25 s");
  expect(clause("SMART is switched off in the drive.")).toBe("SMART is switched off in the drive");
  expect(clause("Toshiba is no name of ours...")).toBe("Toshiba is no name of ours");
  expect(clause("did you mean it?")).toBe("did you mean it?");
  for (const text of ["The end.", "smartctl 7.3 is there", "A. B."])
    expect(clause(clause(text))).toBe(clause(text));
});

it("a count agrees with its noun", () => {
  const counts = [plural(1, "event"), plural(2, "event"), plural(0, "entry", "entries")];
  expect(counts).toEqual(["1 event", "2 events", "0 entries"]);
});

it("a count meets its noun nowhere else: no sentence of ours says 1 sectors", () => {
  const nouns =
    "sectors|errors|requests|records|times|events|commands|lines|days|hours|minutes|seconds|years|entries|calls|" +
    "devices|programs|drives|keys|problems|warnings|sections|modules|cards|nodes|defects|spin-ups|retries|attempts";
  const counted = new RegExp(
    `\\$\\{([^{}]+)\\} (?:[a-z-]+ ){0,2}(?:${nouns})\\b|\\{n\\} (?:[a-z-]+ )*(?:${nouns})\\b`,
    "g",
  );
  /** A limit that is written in capitals is never 1; of several nodes of one name there are two at least. */
  const never1 =
    /^(?:[\w.]*\b[A-Z][A-Z_]+\b.*|named\.length|days|unfinished|whose|word|path|what|seconds|programHere\(\)|name|asked\.method|connection\.host)$/;
  const found = sources().flatMap(([file, text]) =>
    [...text.matchAll(counted)]
      .filter(
        ([all, expression = "{n}"]) =>
          !never1.test(expression) &&
          !/\} (?:is|was|has|does|shows?|meets|or|and|in|of the|of its)\b/.test(all),
      )
      .map(([all]) => `${file}: ${all}`),
  );
  expect(found).toEqual([]);
});

it("a limit is said in the unit it is thought in", () => {
  expect([0, 200, 999.6, 1_500, 10_000, 300_000].map(span)).toEqual([
    "0 ms",
    "200 ms",
    "1 s",
    "1.5 s",
    "10 s",
    "300 s",
  ]);
});

it("a need is said with the subject of whoever says it", () => {
  const text = needText("needs_helper_or_root");
  expect(text).toBe("needs the helper, or root with hardware = true in the configuration");
  expect(reasonClause({ code: "needs_helper", text: "in whatever words" }, "it")).toBe("it needs the helper");
  expect(reasonClause({ code: "no_data", text: "There are no drives." }, "it")).toBe("there are no drives");
});

/** With a line that each is to find, as there were. Instead: `sentence`, `clause`, `ended`, or the data beside the text. */
const FORBIDDEN: readonly (readonly [pattern: RegExp, example: string])[] = [
  [/replace\(\s*\/[^\n]*\\\.[?+*]?\$\//, 'text.replace(/\\.$/, "")'],
  [/\/\[\.!\?…?\]\$\/|endsWith\("[.?!]"\)/, "/[.!?]$/.test(text)"],
  [/(?:charAt\(0\)|\[0\]\??|slice\(0, 1\))\.to(?:Upper|Lower)Case/, "text.charAt(0).toUpperCase()"],
  [/\/[^\n/"`]*Next: [^\n/"`]*\/[a-z]*\b/, "/^(.*?) Next: (.*)$/s.exec(text)"],
  [/\/\^needs|startsWith\("needs/, 'text.replace(/^needs /, "this needs ")'],
  [/\/\^(?:just )?now\$\//, 'relativeTime(at, now).replace(/^now$/, "just now")'],
  [/(?:exec|match)\((?:\w+\.)*(?:message|detail|sentence|next_?step)\)/i, "/: (\\d+)\\./.exec(detail)"],
  [/(?:message|detail|sentence)\.(?:replace|split)\(/, 'known.message.replace(/^.* answers | only$/g, "")'],
];

it("nowhere else is a sentence cut apart or mended", () => {
  for (const [pattern, example] of FORBIDDEN) expect(example).toMatch(pattern);
  const found = sources()
    .filter(([name]) => name !== "model/text/sentence.ts")
    .flatMap(([name, text]) =>
      text
        .split("\n")
        .filter((line) => FORBIDDEN.some(([pattern]) => pattern.test(line)))
        .map((line) => `${name}: ${line.trim()}`),
    );
  expect(found).toEqual([]);
});
