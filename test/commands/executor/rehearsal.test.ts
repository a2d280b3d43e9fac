/** A command that is only rehearsed: an end of its own, nothing wrong with it, and nothing said in the present. */
import { expect, test } from "vitest";
import { stateColor } from "../../../src/cli/commands/text.ts";
import type { GateVerdict } from "../../../src/commands/gates/gate.ts";
import { wait } from "../../../src/commands/gates/text.ts";
import { parseRecord } from "../../../src/commands/record.ts";
import { parsePolicy } from "../../../src/helper/policy/policy.ts";
import { command, rig } from "../../support/commands/executor-rig.ts";
import { eventually } from "../../support/eventually.ts";

const POLICY = parsePolicy(
  "policy.toml",
  '[commands]\nremote = "rehearse"\n[allow]\nnodefoundry = ["reboot", "collect"]\n',
);
const WAITS: readonly GateVerdict[] = [
  {
    gate: "hold",
    ...wait("held", "ada holds this node.", "foundry-agent release", "the hold of ada to end"),
  },
  { gate: "grace", ...wait("grace", "It begins at noon.", null, "its grace of 43 seconds") },
  { gate: "window", verdict: "pass", why: null, would: null },
];

function rehearsing(gates: readonly GateVerdict[]) {
  return rig(
    { gates },
    { gates: { policy: () => ({ policy: POLICY, problem: null, file: "/srv/a b.toml" }) } },
  );
}

test("ends as rehearsed, in the conditional, with every gate's verdict and the line that turns it on", async () => {
  const { deliver, state, store, told } = rehearsing(WAITS);
  deliver({ commands: [command("c1", { params: {} })] });
  await eventually(() => state("c1") === "rehearsed");
  const row = store.command("c1");
  expect(row?.error).toBeNull();
  const record = parseRecord(row?.command ?? "", row?.progress ?? null);
  expect(record?.progress.why).toEqual({
    code: "rehearsed",
    text: "Nothing was done, this host only rehearses. It would wait for the hold of ada to end and for its grace of 43 seconds, then reboot this host (graceful).",
    nextStep: "write remote = \"on\" below [commands] in '/srv/a b.toml'",
  });
  expect(record?.progress.result).toEqual({
    rehearsed: true,
    would: "reboot this host (graceful)",
    gates: [
      { gate: "hold", verdict: "wait", code: "held", text: "It would wait for the hold of ada to end." },
      { gate: "grace", verdict: "wait", code: "grace", text: "It would wait for its grace of 43 seconds." },
      { gate: "window", verdict: "pass" },
    ],
  });
  // Nowhere in what is kept or told stands what those gates say of a command that really waits.
  const [event] = store.eventsSince("", 100).filter(({ data }) => data.state === "rehearsed");
  for (const text of [row?.progress, JSON.stringify(event), JSON.stringify(store.commandHistory("c1"))])
    expect(text).not.toMatch(/holds this node|begins at noon/);
  expect(event).toMatchObject({ severity: "info", data: { reason: { code: "rehearsed" } } });
  expect(told("c1")).toEqual(["accepted", "rehearsed"]);
  expect(stateColor("rehearsed")).toBe("green");
});

test("is told again as it was to a server that asks again, and stays the end over a restart", async () => {
  const made = rehearsing([]);
  const given = command("c1", { params: {} });
  made.deliver({ commands: [given] });
  await eventually(() => made.state("c1") === "rehearsed");
  const { store } = made;
  store.acknowledgeEvents(
    "nodefoundry",
    store.eventsSince("", 100).map(({ id }) => id),
  );
  await made.restart();
  made.deliver({ commands: [given] });
  await eventually(() => made.told("c1").length === 3);
  const last = made.store.eventsSince("", 100).at(-1);
  expect(last?.data).toMatchObject({
    state: "rehearsed",
    message: "Nothing was done, this host only rehearses. It would reboot this host (graceful) at once.",
  });
  expect(made.host.calls.map(({ operation }) => operation)).not.toContain("reboot");
});

test("what an older version kept as a refusal is read as what it was", async () => {
  const made = rehearsing([]);
  made.deliver({ commands: [command("c1", { params: {} })] });
  await eventually(() => made.state("c1") === "rehearsed");
  const row = made.store.command("c1");
  const old = (row?.progress ?? "").replace('"state":"rehearsed"', '"state":"refused"');
  expect(old).not.toBe(row?.progress);
  expect(parseRecord(row?.command ?? "", old)?.progress.state).toBe("rehearsed");
  const denied = old.replace('"code":"rehearsed"', '"code":"not_allowed"');
  expect(parseRecord(row?.command ?? "", denied)?.progress.state).toBe("refused");
});
