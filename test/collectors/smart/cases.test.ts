/**
 * Kinds of drives that were judged wrongly once, rebuilt from public bug reports with invented serial numbers: what
 * smartctl prints, and what must come of it, both as a verdict and in front of a person.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { attributeMeaning } from "../../../src/cli/drives/attribute-meanings.ts";
import { driveText } from "../../../src/cli/drives/detail.ts";
import { NO_TREND } from "../../../src/collectors/smart/history.ts";
import { shownFacts } from "../../../src/collectors/smart/shown.ts";
import { smartVerdict } from "../../../src/collectors/smart/verdict/verdict.ts";
import { smartFacts } from "../../../src/helper/smart/json.ts";
import type { OneDriveWire } from "../../../src/sockets/wire/drive-schemas.ts";
import { NOW } from "../../support/now.ts";

const FOLDER = new URL("../../fixtures/smart-cases/", import.meta.url).pathname;

interface Expected {
  readonly severity?: string;
  readonly smart_ok?: boolean;
  readonly wear_percent?: number;
  readonly temperature_c?: number;
  readonly grown_defects?: number;
  readonly reasons_include?: readonly string[];
  readonly text_not?: string;
  readonly cli_not?: readonly string[];
  readonly cli_has?: readonly string[];
}
interface Meaning {
  readonly id: number;
  readonly name: string;
  readonly text_not: string;
}

const cases = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".expect.json"))
  .map((name): [string, { expect: Expected | readonly Meaning[] }] => [
    name.slice(0, -".expect.json".length),
    JSON.parse(readFileSync(`${FOLDER}${name}`, "utf8")),
  ]);

/** The view of one drive on the first day: nothing to compare with yet. */
function shown(text: string): string {
  const facts = smartFacts(text, null);
  const verdict = smartVerdict(facts);
  const smart = {
    ...verdict,
    state: "answered",
    trend: NO_TREND,
    last_verdict: null,
    paths: [],
    values_at: null,
  };
  const drive = { name: "sdq", smart: { ...smart, facts: shownFacts(facts) } } as unknown as OneDriveWire;
  return driveText(
    drive,
    { isTty: true, color: false, env: { COLUMNS: "200" }, now: () => NOW },
    { socket: undefined, kind: "control" },
  );
}

describe("kinds of drives", () => {
  it.each(cases.filter(([, { expect: asked }]) => !Array.isArray(asked)))("%s", (name, { expect: asked }) => {
    const text = readFileSync(`${FOLDER}${name}.json`, "utf8");
    const expected = asked as Expected;
    const facts = smartFacts(text, null);
    const verdict = smartVerdict(facts);
    const { reasons_include = [], text_not, cli_not = [], cli_has = [], grown_defects, ...rest } = expected;
    expect({ ...facts, ...verdict }).toMatchObject(rest);
    expect(verdict.reasons.map(({ code }) => code)).toEqual(expect.arrayContaining([...reasons_include]));
    if (grown_defects !== undefined) expect(facts.scsi?.grown_defects).toBe(grown_defects);
    const seen = shown(text);
    for (const word of [...cli_not, ...(text_not === undefined ? [] : [text_not])])
      expect(seen).not.toContain(word);
    for (const word of cli_has) expect(seen).toContain(word);
  });

  const meanings = cases.flatMap(([, { expect: asked }]) =>
    Array.isArray(asked) ? (asked as Meaning[]) : [],
  );
  it.each(meanings)("$id $name is not explained as $text_not", ({ text_not, ...row }) => {
    expect(attributeMeaning(row) ?? "").not.toContain(text_not);
  });

  it("are all there", () => {
    expect(cases.length).toBeGreaterThan(12);
    expect(meanings.length).toBeGreaterThan(10);
  });
});
