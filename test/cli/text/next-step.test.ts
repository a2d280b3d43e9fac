import { expect, test } from "vitest";
import { nextStepHere, toSocket, typedAgain } from "../../../src/cli/text/next-step.ts";
import { wrapText } from "../../../src/cli/text/wrap.ts";

test("after status.sock was named the folder of both is: what changes anything is asked on the other", () => {
  expect(toSocket("foundry-agent release", "/a/run/status.sock")).toBe(
    "foundry-agent release --socket /a/run",
  );
  expect(toSocket("foundry-agent release", "/a/run/control.sock")).toBe(
    "foundry-agent release --socket /a/run/control.sock",
  );
});

test("a next step goes to the daemon that was asked, and only where it asks one", () => {
  expect(nextStepHere("foundry-agent enroll", undefined)).toBe("foundry-agent enroll");
  expect(nextStepHere("foundry-agent enroll", "/run/x")).toBe("foundry-agent enroll --socket /run/x");
  expect(nextStepHere("foundry-agent smart-test sda long", "/x")).toBe(
    "foundry-agent smart-test sda long --socket /x",
  );
  expect(nextStepHere("foundry-agent drives  # lists sda", "/my run")).toBe(
    "foundry-agent drives --socket '/my run'  # lists sda",
  );
  for (const step of [
    "foundry-agent config check",
    "foundry-agent enroll --help",
    "foundry-agent sync --socket /other",
    "foundry-agent run --once",
    "journalctl -u foundry-agent",
    "timedatectl",
    "foundry-agent config check && foundry-agent reload",
  ])
    expect(nextStepHere(step, "/run/x")).toBe(step);
});

test("the same again in another way is what was typed", () => {
  expect(typedAgain("sudo foundry-agent …  # or not", ["drives", "forget", "it's"])).toBe(
    "sudo foundry-agent drives forget 'it'\\''s'  # or not",
  );
  for (const given of [["--socket", "/a/status.sock"], ["--socket=/a/status.sock"]])
    expect(typedAgain("foundry-agent … --socket /a/control.sock", ["sync", ...given, "--json"])).toBe(
      "foundry-agent sync --json --socket /a/control.sock",
    );
  expect(typedAgain("timedatectl", ["status"])).toBe("timedatectl");
});

test("sentences are broken at the edge, every word kept, and left alone where there is no terminal", () => {
  const text = "This node is not registered with NodeFoundry, and there is no key to register with.";
  const shown = wrapText(text, 40, 10);
  const lines = `${" ".repeat(10)}${shown}`.split("\n");
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) {
    expect(line.length).toBeLessThanOrEqual(40);
    expect(line).toMatch(/^ {10}\S/);
  }
  expect(shown.replace(/\s+/g, " ")).toBe(text);
  expect(wrapText(text, undefined, 10)).toBe(text);
  expect(wrapText(text, 30, 10)).toBe(text);
  const long = "a".repeat(60);
  expect(wrapText(`see ${long} there`, 40, 4)).toBe(`see\n    ${long}\n    there`);
});
