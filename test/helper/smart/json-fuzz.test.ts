/** Whatever smartctl prints: facts that JSON can carry, or an error of our own; on real output with changes too. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { smartVerdict } from "../../../src/collectors/smart/verdict/verdict.ts";
import { smartFacts } from "../../../src/helper/smart/json.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { donatedDrives, ownCaptures } from "../../support/drives/smart.ts";
import { forAll } from "../../support/for-all.ts";

/** A JSON value with one thing in it replaced, chosen by `pick`. */
function mutated(value: unknown, path: readonly number[], by: unknown): unknown {
  const [pick, ...rest] = path;
  if (pick === undefined || value === null || typeof value !== "object") return by;
  const keys = Object.keys(value);
  if (keys.length === 0) return by;
  const key = keys[pick % keys.length] as string;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  copy[key] = mutated(copy[key], rest, by);
  return copy;
}

describe("fuzz", () => {
  const donated = donatedDrives();
  if (donated === null)
    console.warn("SKIPPED: no donated drives beside this checkout; fuzzing own captures only");
  const texts = [
    ...ownCaptures().map(([, text]) => text),
    ...(donated === null
      ? []
      : [
          "scrutiny/smart-fail2",
          "scrutiny/smart-ata-full",
          "scrutiny/smart-scsi",
          "scrutiny/smart-nvme-failed",
        ].map((name) => readFileSync(join(donated, `${name}.json`), "utf8"))),
  ];
  /** Facts that JSON can carry, or our own error. */
  const holds = (text: string): void => {
    try {
      const facts = smartFacts(text, null);
      expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
      expect(facts.attributes.length).toBeLessThanOrEqual(64);
      for (const { detail } of smartVerdict(facts).reasons) expect(detail).not.toBe("");
      expect(facts.wear_percent ?? 0).toBeGreaterThanOrEqual(0);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
    }
  };

  it("any text", () => {
    forAll(fc.property(fc.string({ unit: "binary", maxLength: 300 }), holds), { seed: 7, cases: 500 });
  });

  it("any JSON", () => {
    const any = fc
      .jsonValue({ maxDepth: 4 })
      .map((value) =>
        JSON.stringify({ device: { protocol: "ATA" }, smartctl: value, ata_smart_attributes: value }),
      );
    forAll(fc.property(any, holds), { seed: 7, cases: 500 });
  });

  it("real output with one thing changed, cut off, or with bytes flipped", () => {
    const by = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.double(),
      fc.constant("9".repeat(40)),
      fc.constant(-1),
    );
    const change = fc.record({
      text: fc.constantFrom(...texts),
      path: fc.array(fc.nat(200), { minLength: 1, maxLength: 6 }),
      by,
      cut: fc.nat(4_000),
      flip: fc.nat(4_000),
    });
    forAll(
      fc.property(change, ({ text, path, by, cut, flip }) => {
        const json: unknown = JSON.parse(text.slice(0, text.indexOf("}{") + 1 || undefined));
        holds(JSON.stringify(mutated(json, path, by)));
        holds(text.slice(0, cut));
        holds(text.slice(0, flip) + String.fromCharCode(text.charCodeAt(flip) ^ 8) + text.slice(flip + 1));
      }),
      { seed: 7, cases: 800 },
    );
  });
});
