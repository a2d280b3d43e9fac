import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listText } from "../../../src/cli/commands/list.ts";
import { commandWire } from "../../../src/sockets/wire/command.ts";
import { madeUpDaemon, piped } from "../../support/agent/daemon.ts";
import { NOW } from "../../support/agent/view.ts";
import { commandRecord, commandRow, runningRecord, waitingRecord } from "../../support/commands/records.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

const WAITED = "root holds this node since 2025-10-09 08:00 UTC, until it is released: memory test.";

test("commands is a table; without any it says so", async () => {
  const { view, run } = await madeUpDaemon();
  expect((await run(["commands"])).stdout).toBe("This node was not asked to do anything yet.\n");
  view.commandList = [commandRow(waitingRecord())];
  const { code, stdout } = await run(["commands"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ID +TYPE +STATE +SINCE +SOURCE +WHY\n/);
  expect(stdout).toContain(`cmd_waiting  reboot  waiting  60 s ago  nodefoundry  ${WAITED}`);
});

test("on a narrow terminal an id stays whole and why it waits has its own line", () => {
  const id = "cmd_local_01M7Y7RB5RZCG9EA1SVXPQ634Z";
  const rows = [
    commandWire(commandRow(commandRecord({ id, mode: "test" }, { state: "waiting" }))),
    commandWire(commandRow(waitingRecord())),
  ];
  const text = listText(rows, { color: false, now: () => NOW, isTty: true, env: { COLUMNS: "80" } });
  const [head = "", first = "", ...rest] = text.trimEnd().split("\n");
  expect(head).toMatch(/^ID +TYPE +STATE +SINCE$/);
  expect(first).toContain(id);
  expect(
    rest
      .slice(1)
      .map((line) => line.trim())
      .join(" "),
  ).toContain(WAITED);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

test("a test's reboot names one boot, and a cancelled command says so once", async () => {
  const { view, run } = await madeUpDaemon();
  const tried = commandRecord(
    { id: "cmd_tried", mode: "test" },
    { state: "succeeded", since: NOW, result: { simulated: true, from_boot_id: "b-0", boot_id: "b-0" } },
  );
  const gone = commandRecord(
    { id: "cmd_gone" },
    {
      state: "cancelled",
      since: NOW,
      why: { code: "cancelled", text: "Cancelled by root.", nextStep: null },
    },
  );
  view.commandList = [commandRow(tried), commandRow(gone)];
  expect((await run(["commands", "cmd_tried"])).stdout).toContain("On boot b-0, before and after\n");
  expect((await run(["commands", "cmd_gone"])).stdout).toMatch(/\n\nCancelled by root\.\n$/);
  expect((await run(["why", "cmd_gone"])).stdout).toBe(
    "reboot from nodefoundry (cmd_gone) was cancelled, now: Cancelled by root.\n",
  );
});

test("a misspelt word is no id", async () => {
  const { run } = await madeUpDaemon();
  const { code, stderr } = await run(["commands", "sing"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean "sign"?')]);
});

test("commands ID is a story that a person can read", async () => {
  const { view, run } = await madeUpDaemon();
  const record = commandRecord(
    {
      id: "cmd_9",
      source: "local",
      by: { uid: 1000, name: "alice" },
      reason: "new kernel",
      params: { method: "graceful" },
    },
    {
      state: "succeeded",
      since: NOW,
      result: { from_boot_id: "b-0", boot_id: "b-1", cause: "unverified" },
    },
  );
  view.commandList = [commandRow(record)];
  view.histories.cmd_9 = [
    { at: NOW - 800_000, state: "accepted", step: null, text: "Accepted." },
    { at: NOW - 800_000, state: "waiting", step: null, text: WAITED },
    { at: NOW - 200_000, state: "rebooting", step: null, text: "Asking the host to reboot (graceful)." },
    { at: NOW, state: "succeeded", step: null, text: "Done." },
  ];
  const { stdout } = await run(["commands", "cmd_9"]);
  expect(stdout).toContain("reboot cmd_9: succeeded\n");
  expect(stdout).toMatch(/^Asked by alice \(uid 1000\) on this host at \S+ \S+: new kernel$/m);
  expect(stdout).toContain("With method=graceful\n");
  expect(stdout).toMatch(new RegExp(`waiting +10 min +${WAITED}`));
  expect(stdout).toContain("From boot b-0 to boot b-1\n");
  expect(stdout).toContain("is not verified");
});

test("why and status say what a command waits for and what to type", async () => {
  const { view, run } = await madeUpDaemon();
  view.commandList = [commandRow(waitingRecord())];
  view.state = { ...view.state, runningCommand: runningRecord(), waitingCommands: [waitingRecord()] };
  const one = await run(["why", "cmd_waiting"]);
  expect(one.stdout).toContain(
    `reboot from nodefoundry (cmd_waiting) waits, since 60 s ago: ${WAITED}\nNext: foundry-agent release`,
  );
  const all = await run(["why"]);
  expect(all.stdout).toContain("Nothing is wrong.\n");
  expect(all.stdout).toContain(WAITED);
  const status = await run(["status"]);
  expect(status.stdout).toContain("Command under way: collect, running, 60 s ago (cmd_running)\n");
  expect(status.stdout).toContain(
    `Commands waiting\n  reboot (cmd_waiting): ${WAITED}\n    Next: foundry-agent release`,
  );
});

test("cancel says what came of it", async () => {
  const { view, run } = await madeUpDaemon();
  view.commandList = [commandRow(waitingRecord())];
  expect((await run(["commands", "cancel", "cmd_waiting"])).stdout).toBe(
    "reboot cmd_waiting is cancelled.\n",
  );
  expect((await run(["commands", "cancel", "none"])).code).toBe(1);
  expect((await run(["commands", "cancel"])).code).toBe(2);
  view.commandList = [
    commandRow(
      commandRecord(
        { id: "cmd_down" },
        {
          state: "rebooting",
          reboot: {
            method: "graceful",
            fromBootId: "b",
            callDeadlineMs: 1,
            deadlineMs: 2,
            attempt: 1,
            answer: "none",
          },
        },
      ),
    ),
  ];
  const late = await run(["commands", "cancel", "cmd_down"]);
  expect([late.code, late.stderr]).toEqual([1, expect.stringContaining("too late to cancel")]);
});

test("submit takes a file or stdin and hands it over as it is", async () => {
  const { view, run } = await madeUpDaemon();
  const command = {
    id: "cmd_signed",
    node_id: "node_7",
    mode: "live",
    type: "noop",
    params: {},
    epoch: "signed",
    seq: 1,
    issued_at: "2026-11-21T04:00:00.000Z",
    expires_at: "2026-11-21T05:00:00.000Z",
    signature: "c2ln",
  };
  const file = join(temporaryFolder(), "noop.json");
  writeFileSync(file, JSON.stringify(command));
  const { code, stdout } = await run(["commands", "submit", file]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Taken\. noop from local \(cmd_signed\) is accepted/);
  expect((await run(["commands", "submit", "-"], { input: piped(JSON.stringify(command)) })).code).toBe(0);
  expect(view.requests.map(({ signed }) => signed?.id)).toEqual(["cmd_signed", "cmd_signed"]);
  writeFileSync(file, "no JSON");
  expect((await run(["commands", "submit", file])).code).toBe(2);
  expect((await run(["commands", "submit", `${file}.none`])).code).toBe(2);
  writeFileSync(file, "{}");
  expect((await run(["commands", "submit", file])).code).toBe(4);
});

test("sign's options belong to sign", async () => {
  const { run } = await madeUpDaemon();
  expect((await run(["commands", "--node", "node_1"])).code).toBe(2);
  expect((await run(["commands", "a", "b"])).code).toBe(2);
});

test("hold needs a reason and a time that is one; release says what was held", async () => {
  const { view, run } = await madeUpDaemon();
  expect((await run(["hold"])).code).toBe(2);
  expect((await run(["hold", "--reason", "fan", "--for", "forever"])).code).toBe(2);
  expect(view.calls).toEqual([]);
  const held = await run(["hold", "--reason", "fan", "--for", "4h"]);
  expect(held.code).toBe(0);
  expect(view.state.hold).toMatchObject({ reason: "fan", until: NOW + 4 * 3_600_000 });
  expect((await run(["release"])).stdout).toMatch(/^Released what \S.* held since .*: fan\n$/);
  expect((await run(["release"])).stdout).toBe("Nothing was held.\n");
});
