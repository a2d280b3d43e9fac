import { expect, test } from "vitest";
import { openLog, openLogTail } from "../../src/agent/log.ts";

test("keeps the last 500 lines", () => {
  const tail = openLogTail();
  for (let line = 1; line <= 1_203; line++) tail.add(`line ${line}`);
  expect(tail.lines()).toHaveLength(500);
  expect(tail.lines()[0]).toBe("line 704");
  expect(tail.lines().at(-1)).toBe("line 1203");
});

test("is bounded in bytes too, whatever the lines are", () => {
  const tail = openLogTail();
  tail.add("x".repeat(10_000_000));
  expect(Buffer.byteLength(tail.lines().join())).toBeLessThan(5_000);
  for (let line = 0; line < 300; line++) tail.add(`${line} ${"ä".repeat(3_000)}`);
  expect(Buffer.byteLength(tail.lines().join(""))).toBeLessThanOrEqual(256 * 1024);
  expect(tail.lines().length).toBeGreaterThan(30);
  expect(tail.lines().at(-1)).toMatch(/^299 /);
});

test("gets what the log writes, with times and without secrets, and nothing below the level", () => {
  for (const format of ["journal", "terminal", "json"] as const) {
    const tail = openLogTail();
    const written: string[] = [];
    const log = openLog({ level: "info", format, tail, write: (line) => written.push(line) });
    log.debug("not this");
    log.warn({ authorization: "Bearer abcdef0123456789" }, "asked with nf_sk_live_canary1234");
    log.child({ api: "x" }).info("second");
    const lines = tail.lines();
    expect([format, lines.length, written.length]).toEqual([format, 2, 2]);
    expect(lines.join()).not.toMatch(/canary1234|abcdef0123456789|not this/);
    for (const line of lines) expect(line).toMatch(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/);
    for (const [index, line] of lines.entries()) expect(line).toContain(written[index]?.trimEnd());
  }
});
