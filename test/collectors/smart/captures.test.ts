/** The verdict on every capture there is, donated ones where they are; docs/smart-verdicts.md has all. */
import { describe, expect, it } from "vitest";
import { verdictRow, verdictRows } from "../../../scripts/docs/smart-verdicts.ts";
import { capture, donatedDrives, FIXTURES } from "../../support/drives/smart.ts";

describe("captures", () => {
  it("there are enough of our own to judge by", () => {
    expect(verdictRows(FIXTURES).length).toBeGreaterThan(35);
  });

  it("the failing one fails, the sleeping one sleeps", () => {
    expect(verdictRow("x", capture("vm-lab-replay/replay-prefail-now-status-passed")).slice(4, 6)).toEqual([
      "false",
      "fail",
    ]);
    expect(verdictRow("x", capture("vm-lab-replay/replay-n-standby-3-sleep")).slice(4, 6)).toEqual([
      "–",
      "asleep",
    ]);
    expect(verdictRow("x", "garbage").slice(4)).toEqual(["–", "unknown", "smartctl_garbage"]);
  });

  const donated = donatedDrives();
  if (donated === null) console.warn("SKIPPED: the donated drives are not beside this checkout");
  it.skipIf(donated === null)(
    "every donated drive gets a verdict, and none says failed for what is not known",
    () => {
      const rows = verdictRows(donated as string);
      expect(rows.length).toBeGreaterThan(80);
      for (const [name, , , own, ok, severity, reasons] of rows) {
        expect(severity, name).toMatch(/^(?:ok|warn|fail|unknown|asleep)$/);
        if (own === "–" && severity !== "fail" && reasons !== "no_own_verdict") expect(ok, name).toBe("–");
      }
      expect(rows.filter((row) => row[5] === "fail").map(([name]) => name)).toContain(
        "scrutiny/smart-fail2.json",
      );
    },
  );
});
