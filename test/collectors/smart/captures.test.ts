/** The verdict on every capture there is: own ones against docs/smart-verdicts.md, donated ones where they are. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { verdictRow, verdictRows } from "../../../scripts/docs/smart-verdicts.ts";
import { capture, donatedDrives, FIXTURES } from "../../support/drives/smart.ts";

describe("captures", () => {
  it("every own one has the verdict of docs/smart-verdicts.md", () => {
    const page = readFileSync(new URL("../../../docs/smart-verdicts.md", import.meta.url), "utf8");
    const rows = verdictRows(FIXTURES);
    expect(rows.length).toBeGreaterThan(35);
    for (const row of rows) expect(page).toContain(`| ${row.join(" | ")} |`);
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
      for (const [name, , , own, ok, severity] of rows) {
        expect(severity, name).toMatch(/^(?:ok|warn|fail|unknown|asleep)$/);
        if (own === "–" && severity !== "fail") expect(ok, name).toBe("–");
      }
      expect(rows.filter((row) => row[5] === "fail").map(([name]) => name)).toContain(
        "scrutiny/smart-fail2.json",
      );
    },
  );
});
