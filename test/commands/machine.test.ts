/** The table of transitions: what stands in it, that nothing else can happen, and what it says. */
import { describe, expect, it } from "vitest";
import { compare } from "../../src/commands/after-boot/compare.ts";
import type { Picture } from "../../src/commands/after-boot/picture.ts";
import { advance, type Input } from "../../src/commands/machine.ts";
import type { Progress, RebootIntent } from "../../src/commands/record.ts";
import { COMMAND_STATES, type CommandState, isFinal, type Why } from "../../src/model/command.ts";
import { ASKED, REBOOT_PLAN, WORK_PLAN } from "./model/world.ts";

const why: Why = { code: "some_code", text: "A reason.", nextStep: null };
const intent: RebootIntent = {
  method: "graceful",
  fromBootId: "boot0",
  callDeadlineMs: 1,
  deadlineMs: 2,
  attempt: 1,
  answer: "none",
  monotonicMs: 1,
  before: null,
  lookUntil: null,
  tally: null,
};
const EMPTY: Picture = { seen: ["mount"], items: [], settled: true };
const WORSE = compare(
  { ...EMPTY, items: [{ kind: "mount", id: "/srv/data", name: "/srv/data", is: "writable" }] },
  EMPTY,
);
const INPUTS: Readonly<Record<string, Input>> = {
  "gates pass": { kind: "gates", verdict: "pass" },
  "gates wait": { kind: "gates", verdict: "wait", why },
  "gates refuse": { kind: "gates", verdict: "refuse", why },
  "gates refuse expired": { kind: "gates", verdict: "refuse", why: { ...why, code: "expired" } },
  outdated: { kind: "outdated", why },
  rehearsed: { kind: "rehearsed", why, result: {} },
  postponed: { kind: "postponed", why, notBefore: { bootId: "b1", uptimeMs: 1 } },
  cancel: { kind: "cancel", by: "ada" },
  stepped: { kind: "stepped", result: {}, simulated: false },
  step_failed: { kind: "step_failed", why },
  interrupted: { kind: "interrupted" },
  intend: { kind: "intend", intent },
  "called taken": { kind: "called", answer: "taken" },
  "called refused": { kind: "called", answer: "refused", why },
  "called unknown": { kind: "called", answer: "unknown", why },
  "same_boot possible": { kind: "same_boot", possible: true, why },
  "same_boot stays": { kind: "same_boot", possible: false, why },
  new_boot: { kind: "new_boot", bootId: "boot1", cause: "command", how: [], way: null, lookUntilMs: 180_000 },
  simulated_boot: { kind: "simulated_boot" },
  verified: { kind: "verified", looked: null },
  "verified worse": { kind: "verified", looked: { after: EMPTY, comparison: WORSE } },
};

function progress(state: CommandState, more: Partial<Progress> = {}): Progress {
  return {
    state,
    since: 1,
    why: null,
    notBefore: null,
    step: state === "running" ? "reboot" : null,
    result: {},
    reboot: state === "rebooting" || state === "verifying" ? intent : null,
    cancelledBy: null,
    ...more,
  };
}

/** `state` after the input; `=` nothing changes; null: it can't happen. */
function stateAfter(from: Progress, input: Input, plan = REBOOT_PLAN): string | null {
  try {
    return advance({ asked: ASKED, progress: from }, input, plan, 9)?.progress.state ?? "=";
  } catch (error) {
    expect(error).toMatchObject({ code: "no_transition" });
    return null;
  }
}

const EXPECTED = `
accepted: gates pass → running, gates wait → waiting, gates refuse → refused, gates refuse expired → expired, outdated → failed, rehearsed → rehearsed, postponed → waiting, cancel → cancelled
waiting: gates pass → running, gates wait → waiting, gates refuse → refused, gates refuse expired → expired, outdated → failed, rehearsed → rehearsed, postponed → waiting, cancel → cancelled
running: outdated → failed, cancel → running, stepped → succeeded, step_failed → failed, interrupted → accepted, intend → rebooting
rebooting: outdated → =, cancel → rebooting, called taken → rebooting, called refused → failed, called unknown → rebooting, same_boot possible → =, same_boot stays → failed, new_boot → verifying, simulated_boot → verifying
verifying: outdated → =, cancel → verifying, verified → succeeded, verified worse → succeeded
succeeded: cancel → =
failed: cancel → =
cancelled: cancel → =
refused: cancel → =
expired: cancel → =
rehearsed: cancel → =
`;

describe("the table", () => {
  it("has these transitions and no others", () => {
    const lines = COMMAND_STATES.map((state) => {
      const can = Object.entries(INPUTS).flatMap(([name, input]) => {
        const to = stateAfter(progress(state), input);
        return to === null ? [] : [`${name} → ${to}`];
      });
      return can.length === 0 ? "" : `${state}: ${can.join(", ")}`;
    });
    expect(lines.filter((line) => line !== "").join("\n")).toBe(EXPECTED.trim());
  });

  it("says one whole sentence with every transition", () => {
    for (const state of COMMAND_STATES)
      for (const input of Object.values(INPUTS)) {
        if (stateAfter(progress(state), input) === null) continue;
        const next = advance({ asked: ASKED, progress: progress(state) }, input, REBOOT_PLAN, 9);
        if (next !== null) expect(next.say).toMatch(/^[A-Za-z].*\.$/);
      }
  });

  it("counts the time in a state from when it came into it", () => {
    const waits = advance(
      { asked: ASKED, progress: progress("accepted") },
      INPUTS["gates wait"] as Input,
      REBOOT_PLAN,
      9,
    );
    expect(waits?.progress.since).toBe(9);
    const wanted = advance(
      { asked: ASKED, progress: progress("running") },
      INPUTS.cancel as Input,
      REBOOT_PLAN,
      9,
    );
    expect(wanted?.progress.since).toBe(1);
  });

  it("takes the same reason to wait again for no news", () => {
    expect(stateAfter(progress("waiting", { why }), INPUTS["gates wait"] as Input)).toBe("=");
  });
});

describe("steps", () => {
  const set = progress("running", { step: "set" });
  const work = progress("running", { step: "work" });

  it("follow each other, and the last one ends it", () => {
    const next = advance({ asked: ASKED, progress: set }, INPUTS.stepped as Input, WORK_PLAN, 9);
    expect(next?.progress).toMatchObject({ state: "running", step: "work" });
    expect(stateAfter(work, INPUTS.stepped as Input, WORK_PLAN)).toBe("succeeded");
  });

  it("are not repeated on doubt", () => {
    expect(stateAfter(work, INPUTS.interrupted as Input, WORK_PLAN)).toBe("failed");
    expect(stateAfter(work, INPUTS.interrupted as Input, { ...WORK_PLAN, isIdempotent: () => true })).toBe(
      "running",
    );
  });

  it("end where a cancel was asked for", () => {
    const wanted = { cancelledBy: "ada" };
    expect(stateAfter({ ...set, ...wanted }, INPUTS.stepped as Input, WORK_PLAN)).toBe("cancelled");
    expect(stateAfter({ ...work, ...wanted }, INPUTS.stepped as Input, WORK_PLAN)).toBe("succeeded");
    expect(stateAfter({ ...work, ...wanted }, INPUTS.step_failed as Input, WORK_PLAN)).toBe("cancelled");
    const repeatable = { ...WORK_PLAN, isIdempotent: () => true };
    expect(stateAfter({ ...set, ...wanted }, INPUTS.interrupted as Input, repeatable)).toBe("cancelled");
    expect(stateAfter(progress("running", wanted), INPUTS.interrupted as Input)).toBe("cancelled");
    expect(stateAfter(progress("running", wanted), INPUTS.intend as Input)).toBe("cancelled");
  });
});

describe("a reboot", () => {
  it("is too late to cancel, which is said once", () => {
    const late = advance(
      { asked: ASKED, progress: progress("rebooting") },
      INPUTS.cancel as Input,
      REBOOT_PLAN,
      9,
    );
    expect(late?.error?.code).toBe("too_late");
    expect(stateAfter(progress("rebooting", { cancelledBy: "ada" }), INPUTS.cancel as Input)).toBe("=");
  });

  it("has both boot ids in its result", () => {
    const back = advance(
      { asked: ASKED, progress: progress("rebooting") },
      INPUTS.new_boot as Input,
      REBOOT_PLAN,
      9,
    );
    expect(back?.progress.result).toEqual({ from_boot_id: "boot0", boot_id: "boot1", cause: "command" });
  });

  it("in a final state is no news for any input but a cancel", () => {
    for (const state of COMMAND_STATES.filter(isFinal))
      expect(stateAfter(progress(state), INPUTS.new_boot as Input)).toBeNull();
  });
});
