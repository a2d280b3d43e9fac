import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listView } from "../../../src/cli/commands/list.ts";
import { whole } from "../../../src/cli/text/fold.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { wholeCommandWire } from "../../../src/sockets/wire/command.ts";
import { daemon, piped } from "../../support/agent/daemon.ts";
import { pretendCommands, pretendStatus } from "../../support/agent/pretend.ts";
import { reboot } from "../../support/agent/server.ts";
import { commandRecord, commandRow, waitingRecord } from "../../support/commands/records.ts";
import { eventually } from "../../support/eventually.ts";
import { plainCommand, signer } from "../../support/helper/signing.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { NOW } from "../../support/now.ts";
import { terminal } from "../../support/text/io.ts";

const WAITED = "root holds this node since 2025-10-09 08:00 UTC, until it is released: memory test.";
const HELD = /\S+ holds this node since 2026-11-21 12:00 UTC, until it is released: memory test\./;

/** A node that is held, and a reboot that its server wants of it. */
async function waiting() {
  const here = await daemon({ tree: "vm", registered: "test" });
  await here.run(["hold", "--reason", "memory test"]);
  const id = await reboot(here.server, here.view.status().nodeId ?? "");
  await eventually(async () => {
    await here.view.sync();
    return here.view.status().waitingCommands[0]?.progress.why != null;
  });
  here.clock.forward(60_000);
  return { ...here, id };
}

test("commands is a table; without any it says so", async () => {
  const { run } = await daemon();
  expect((await run(["commands"])).stdout).toBe("This node was not asked to do anything yet.\n");
  const { run: ask, id } = await waiting();
  const { code, stdout } = await ask(["commands"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ID +TYPE +STATE +SINCE +SOURCE +WHY\n/);
  expect(stdout).toMatch(
    new RegExp(`${id} +reboot \\(test\\) +waiting +60 s ago +nodefoundry +${HELD.source}`),
  );
});

test("on a narrow terminal an id stays whole and why it waits has its own line", () => {
  const id = "cmd_local_01M7Y7RB5RZCG9EA1SVXPQ634Z";
  const rows = [
    wholeCommandWire(commandRow(commandRecord({ id, mode: "test" }, { state: "waiting" })), []),
    wholeCommandWire(commandRow(waitingRecord()), []),
  ];
  const text = whole(listView(rows, { color: false, now: () => NOW, isTty: true, env: { COLUMNS: "80" } }));
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
  const { view, run } = await daemon();
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
  pretendCommands(view, [tried, gone]);
  expect((await run(["commands", "cmd_tried"])).stdout).toContain("On boot b-0, before and after\n");
  expect((await run(["commands", "cmd_gone"])).stdout).toMatch(/\n\nCancelled by root\.\n$/);
  expect((await run(["why", "cmd_gone"])).stdout).toBe(
    "reboot from nodefoundry (cmd_gone) was cancelled, now: Cancelled by root.\n",
  );
});

test("a misspelt word is no id", async () => {
  const { run } = await daemon();
  const { code, stderr } = await run(["commands", "sing"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean "sign"?')]);
});

test("commands ID is a story that a person can read", async () => {
  const { view, run } = await daemon();
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
  pretendCommands(view, [record], {
    cmd_9: [
      { at: NOW - 800_000, state: "accepted", step: null, text: "Accepted." },
      { at: NOW - 800_000, state: "waiting", step: null, text: WAITED },
      { at: NOW - 200_000, state: "rebooting", step: null, text: "Asking the host to reboot (graceful)." },
      { at: NOW, state: "succeeded", step: null, text: "Done." },
    ],
  });
  const { stdout } = await run(["commands", "cmd_9"]);
  expect(stdout).toContain("reboot cmd_9: succeeded\n");
  expect(stdout).toMatch(/^Asked by alice \(uid 1000\) on this host at \S+ \S+ UTC: new kernel$/m);
  expect(stdout).toContain("With method graceful\n");
  expect(stdout).toMatch(new RegExp(`waiting +10 min +${WAITED}`));
  expect(stdout).toContain("From boot b-0 to boot b-1\n");
  expect(stdout).toContain("is not verified");
});

test("commands ID of a rehearsal: gates in a table, in the conditional, nothing twice, and no JSON", async () => {
  const { view, run } = await daemon();
  const text =
    "Nothing was done, this host only rehearses. It would wait for the hold of ada to end (a fan), then reboot this host (graceful).";
  const record = commandRecord(
    {
      id: "cmd_9",
      params: { method: "graceful", sections: ["cpu", "drives"], deep: { a: [1, { b: true }] } },
    },
    {
      state: "rehearsed",
      why: { code: "rehearsed", text, nextStep: 'write remote = "on" below [commands] in /etc/x' },
      result: {
        rehearsed: true,
        would: "reboot this host (graceful)",
        path: "/x",
        gates: [
          { gate: "policy", verdict: "pass" },
          {
            gate: "hold",
            verdict: "wait",
            code: "held",
            text: "It would wait for the hold of ada to end (a fan).",
          },
        ],
      },
    },
  );
  pretendCommands(view, [record], {
    cmd_9: [
      { at: NOW - 1_000, state: "accepted", step: null, text: "Accepted." },
      { at: NOW, state: "rehearsed", step: null, text },
    ],
  });
  const { stdout, code } = await run(["commands", "cmd_9"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^reboot cmd_9: rehearsed\nAsked by nodefoundry at /);
  expect(stdout).toContain("With method graceful, sections cpu, drives, deep a 1; b yes\n");
  expect(stdout).toMatch(
    /\nGATE {2}VERDICT {5}WHAT\nhold {2}would wait {2}It would wait for the hold of ada to end \(a fan\)\.\n\nPassed: policy\n/,
  );
  expect(stdout).toContain("\nResult\n  path  /x\n");
  expect(stdout).toContain('\nTo do: write remote = "on" below [commands] in /etc/x\n');
  expect(stdout.split(text)).toHaveLength(2);
  expect(stdout).not.toMatch(/[{}[\]]"|"[:,]|=true/);
  // At 40 columns nothing is cut, and no line is longer than the terminal but what is to be copied.
  const narrow = (await run(["commands", "cmd_9"], { io: terminal(40) })).stdout;
  for (const word of text.split(" ")) expect(narrow).toContain(word);
  const long = narrow.split("\n").filter((line) => line.length > 40);
  expect(long.every((line) => /^(?:To do|Next): /.test(line))).toBe(true);
  // In the list and in a sentence it is what it is.
  expect((await run(["commands"])).stdout).toMatch(
    / rehearsed .* Nothing was done, this host only rehearses\./,
  );
  expect((await run(["why", "cmd_9"])).stdout).toMatch(
    /^reboot from nodefoundry \(cmd_9\) was rehearsed, .*: Nothing was done/,
  );
});

test("why and status say what a command waits for and what to type", async () => {
  const { view, run, id } = await waiting();
  const one = await run(["why", id]);
  const held = `${HELD.source}\\n *Next: foundry-agent release`;
  expect(one.stdout).toMatch(new RegExp(`^reboot from nodefoundry \\(${id}\\) waits, for 60 s: ${held}`));
  const all = await run(["why"]);
  expect(all.stdout).toContain("Nothing is wrong.\n");
  expect(all.stdout).toMatch(HELD);
  const running = commandRecord(
    { id: "cmd_running", type: "collect" },
    { state: "running", step: "collect" },
  );
  pretendStatus(view, { runningCommand: { ...running, progress: { ...running.progress, since: NOW } } });
  const status = await run(["status"]);
  expect(status.stdout).toContain("Command under way: collect, running, 60 s ago (cmd_running)\n");
  expect(status.stdout).toMatch(new RegExp(`Commands waiting\\n {2}reboot \\(${id}\\): ${held}`));
});

test("cancel says what came of it", async () => {
  const { view, run, id } = await waiting();
  expect((await run(["commands", "cancel", id])).stdout).toBe(`reboot ${id} is cancelled.\n`);
  expect(view.commandRecord(id)?.progress.state).toBe("cancelled");
  expect((await run(["commands", "cancel", "none"])).code).toBe(1);
  expect((await run(["commands", "cancel"])).code).toBe(2);
  view.cancelCommand = () => {
    throw new AgentError("too_late", "it is too late to cancel this reboot: its state is rebooting");
  };
  const late = await run(["commands", "cancel", "cmd_down"]);
  expect([late.code, late.stderr]).toEqual([1, expect.stringContaining("too late to cancel")]);
});

test("submit takes a file or stdin and hands it over as it is", async () => {
  const key = signer();
  const policyFile = join(temporaryFolder(), "policy.toml");
  writeFileSync(policyFile, `[commands]\npublic_key = "${key.publicKey}"\n`, { mode: 0o600 });
  const toml = `[commands]\npolicy_file = "${policyFile}"\n`;
  const { view, run } = await daemon({ tree: "vm", registered: "live", toml });
  const signed = (id: string): string => {
    const own = { id, node_id: view.status().nodeId, type: "noop", params: {}, epoch: "signed" };
    const plain = plainCommand(own);
    return JSON.stringify({ ...plain, signature: key.of(plain).signature });
  };
  const file = join(temporaryFolder(), "noop.json");
  writeFileSync(file, signed("cmd_file"));
  const { code, stdout, stderr } = await run(["commands", "submit", file]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^Taken\. noop from local \(cmd_file\) is accepted/);
  expect((await run(["commands", "submit", "-"], { input: piped(signed("cmd_stdin")) })).code).toBe(0);
  const taken = ["cmd_file", "cmd_stdin"];
  expect(taken.map((id) => view.commandRecord(id)?.asked.signedText?.includes(id))).toEqual([true, true]);
  writeFileSync(file, "no JSON");
  expect((await run(["commands", "submit", file])).code).toBe(2);
  expect(await run(["commands", "submit", `${file}.none`])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`${file}.none can't be read: there is no such file or folder. Next:`),
  });
  writeFileSync(file, "{}");
  expect((await run(["commands", "submit", file])).code).toBe(4);
});

test("sign's options belong to sign", async () => {
  const { run } = await daemon();
  expect((await run(["commands", "--node", "node_1"])).code).toBe(2);
  expect((await run(["commands", "a", "b"])).code).toBe(2);
});

test("hold needs a reason and a time that is one; release says what was held", async () => {
  const { view, run } = await daemon();
  expect((await run(["hold"])).code).toBe(2);
  expect((await run(["hold", "--reason", "fan", "--for", "forever"])).code).toBe(2);
  expect(view.status().hold).toBeNull();
  const held = await run(["hold", "--reason", "fan", "--for", "4h"]);
  expect(held.code).toBe(0);
  expect(view.status().hold).toMatchObject({ reason: "fan", until: NOW + 4 * 3_600_000 });
  expect((await run(["release"])).stdout).toMatch(/^Released what \S.* held since .*: fan\n$/);
  expect((await run(["release"])).stdout).toBe("Nothing was held.\n");
});
