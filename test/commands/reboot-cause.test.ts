/** `cause` of a reboot: `command` whenever the helper's record says that it began, whoever was killed meanwhile. */
import { expect, test } from "vitest";
import { causeOf, NOT_BEGUN } from "../../src/commands/reboot-cause.ts";
import { AgentError } from "../../src/model/errors.ts";
import { command, rig } from "../support/commands/executor-rig.ts";
import { eventually } from "../support/eventually.ts";

test("by what the record can hold", () => {
  const of = (known: string | null, errorCode: string | null = null) => causeOf({ known, errorCode });
  expect([of("begun"), of("done"), of("failed", "reboot_unanswered"), of("failed", "helper_failed")]).toEqual(
    Array(4).fill("command"),
  );
  expect([causeOf(null), of(null), ...[...NOT_BEGUN].map((code) => of("failed", code))]).toEqual(
    Array(2 + NOT_BEGUN.size).fill("unverified"),
  );
});

const BEGUN = { known: { state: "begun", steps: [] }, in_flight: false, shutdown: {}, doubt: null };

/** A reboot that was asked for, the agent killed in that moment, and the host up again. */
async function rebooted(look: () => unknown, state: "kept" | "lost" = "kept") {
  const pause = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));
  const made = rig(
    { operations: { reboot: () => new Promise(() => undefined), "reboot.look": look } },
    { pause },
  );
  made.deliver({ commands: [command("cmd_1")] });
  await eventually(() => made.host.calls.some(({ operation }) => operation === "reboot"));
  made.kill();
  Object.assign(made.host, { bootId: "boot-2", uptimeMs: 1_000 });
  await made.revive(state);
  return made;
}

test("the agent and the helper were killed right after it began: it was the command", async () => {
  const made = await rebooted(() => BEGUN);
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(made.executor.record("cmd_1")?.progress.result).toMatchObject({
    cause: "command",
    boot_id: "boot-2",
  });
});

test("a helper that is not there yet after the boot is asked again", async () => {
  let asked = 0;
  const made = await rebooted(() => {
    if (++asked < 4) throw new AgentError("helper_failed", "not yet");
    return BEGUN;
  });
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(made.executor.record("cmd_1")?.progress.result.cause).toBe("command");
});

test("not for ever, and of what was never begun nobody can vouch", async () => {
  const absent = await rebooted(() => {
    throw new AgentError("helper_absent", "nobody is root");
  });
  await eventually(() => absent.state("cmd_1") === "succeeded");
  expect(absent.executor.record("cmd_1")?.progress.result.cause).toBe("unverified");
  const never = await rebooted(() => ({ ...BEGUN, known: null }));
  await eventually(() => never.state("cmd_1") === "succeeded");
  expect(never.executor.record("cmd_1")?.progress.result.cause).toBe("unverified");
});

test("the state was lost, and the helper's record was not: it was the command", async () => {
  const made = await rebooted(() => BEGUN, "lost");
  const open = { id: "cmd_1", type: "reboot", state: "running" as const, fromBootId: "boot-1" };
  made.deliver({ openCommands: [open] });
  await eventually(() => made.state("cmd_1") === "succeeded");
  expect(made.executor.record("cmd_1")?.progress.result).toMatchObject({
    cause: "command",
    from_boot_id: "boot-1",
    boot_id: "boot-2",
  });
  expect(made.host.calls.filter(({ operation }) => operation === "reboot")).toHaveLength(1);
});
