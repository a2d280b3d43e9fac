/**
 * What a new collector costs: its file (test/fixtures/example-ups.ts) and one line in a table. That its schema,
 * documentation, metrics, conditions, events and views follow from the declaration alone is shown here, with a
 * real TCP server that speaks the protocol of Network UPS Tools.
 */
import { createServer, type Socket } from "node:net";
import * as v from "valibot";
import { expect, onTestFinished, test } from "vitest";
import { collectorsDocument } from "../../scripts/docs/collectors-doc.ts";
import { jsonSchema } from "../../scripts/docs/json-schema.ts";
import { openApiDocument } from "../../scripts/docs/openapi.ts";
import { openHealth } from "../../src/agent/conditions/health.ts";
import { openLedger } from "../../src/agent/reporting/ledger.ts";
import { openSchedule } from "../../src/agent/schedule/schedule.ts";
import { collectCommand } from "../../src/cli/daemon/collect.ts";
import { reportCommand } from "../../src/cli/show/report.ts";
import type { AnyCollector } from "../../src/collectors/index.ts";
import type { EventDraft } from "../../src/model/event.ts";
import type { Section } from "../../src/model/report.ts";
import { metricsText } from "../../src/sockets/metrics/prometheus-text.ts";
import { ROUTES } from "../../src/sockets/routes/table.ts";
import { hostMachine } from "../../src/system/machine.ts";
import { parseVariables, type Ups, upsCollector, upsSchema } from "../fixtures/example-ups.ts";
import { bareView } from "../support/agent/bare-view.ts";
import { startServer } from "../support/agent/unix-http.ts";
import { NOW } from "../support/now.ts";
import { runCli } from "../support/text/io.ts";
import { checkSchema } from "../support/text/json-schema.ts";
import { recordedLog } from "../support/text/log.ts";
import { parsePrometheus } from "../support/text/prometheus.ts";

/** The one line. */
function table(): AnyCollector[] {
  return [upsCollector()];
}

const VARIABLES = {
  "ups.status": "OL CHRG",
  "ups.model": 'Smart-UPS 1500 \\"RM\\"',
  "ups.serial": "AS1234567890",
  "ups.load": "23",
  "battery.charge": "98",
  "battery.runtime": "2940",
};

/** An upsd on loopback that knows one UPS, `rack3`; `answer` may be anything instead. */
async function startUpsd(answer?: (socket: Socket) => void) {
  const variables: Record<string, string> = { ...VARIABLES };
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    let question = "";
    socket.setEncoding("utf8");
    socket.on("error", () => undefined); // whoever asks may leave at any time
    socket.on("close", () => open.delete(socket));
    socket.on("data", (chunk: string) => {
      question += chunk;
      if (!question.endsWith("\n")) return;
      if (answer !== undefined) answer(socket);
      else if (question !== "LIST VAR rack3\n") socket.write("ERR UNKNOWN-UPS\n");
      else {
        const lines = Object.entries(variables).map(([name, value]) => `VAR rack3 ${name} "${value}"\n`);
        socket.write(`BEGIN LIST VAR rack3\n${lines.join("")}END LIST VAR rack3\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as { port: number };
  return { port, variables };
}

/** The daemon's own parts, put together as configured.ts does, with nothing in them that knows of a UPS. */
function rig(options: Record<string, unknown>, timeoutMs?: number) {
  const machine = hostMachine();
  const { log } = recordedLog();
  const events: EventDraft[] = [];
  const collectors = table();
  const health = openHealth(machine.clock, log, (event) => events.push(event));
  const ledger = openLedger(() => 1);
  const schedule = openSchedule({
    machine,
    log,
    plans: collectors.map((collector) => ({
      collector,
      everyMs: collector.everyMs,
      timeoutMs: timeoutMs ?? collector.timeoutMs,
      options,
      memory: { get: () => null, set: () => undefined },
    })),
    onSection(section, before, collector) {
      ledger.update(section, collector);
      if (section.state !== "ok") return;
      health.set(`collector ${collector.name}`, collector.conditions?.(section.data) ?? []);
      events.push(...(collector.changes?.(before?.data ?? null, section.data) ?? []));
    },
    onTick: () => undefined,
    random: () => 0.5,
  });
  onTestFinished(() => schedule.stop());
  const view = () => {
    const sections: Record<string, Section> = {};
    for (const [name, { section }] of ledger.states()) sections[name] = section;
    return { ...bareView(sections, collectors), collect: schedule.runNow };
  };
  return { schedule, health, events, collectors, view };
}

test("collected over TCP, and as its schema says: in valibot, JSON Schema, OpenAPI and the documentation", async () => {
  const { port } = await startUpsd();
  const { schedule, collectors } = rig({ port, ups: "rack3" });
  const section = await schedule.runNow("ups");
  const expected: Ups = {
    ups: "rack3",
    model: 'Smart-UPS 1500 "RM"',
    serial: "AS1234567890",
    power: "mains",
    battery_low: false,
    battery_replace: false,
    battery_percent: 98,
    battery_runtime_s: 2940,
    load_percent: 23,
  };
  expect(section).toMatchObject({ name: "ups", state: "ok", data: expected, reason: null });
  expect(v.parse(upsSchema, section.data)).toEqual(section.data);

  const schema = jsonSchema(upsSchema);
  expect(checkSchema({}, schema, section.data)).toEqual([]);
  expect(checkSchema({}, schema, { ...expected, power: "solar" })).not.toEqual([]);
  const document = openApiDocument(ROUTES, collectors);
  expect(document).toMatchObject({
    components: { schemas: { section_ups: { ...schema, description: collectors[0]?.summary } } },
    "x-sensitive": { ups: ["serial"] },
  });
  const text = collectorsDocument(collectors);
  for (const word of [
    "## ups",
    "battery_runtime_s",
    "the UPS's own estimate",
    "foundry_agent_ups_battery_ratio",
  ])
    expect(text).toContain(word);
});

test("its metrics are on /metrics, without anything that identifies the hardware", async () => {
  const { port, variables } = await startUpsd();
  variables["ups.status"] = "OB DISCHRG";
  const { schedule, view } = rig({ port, ups: "rack3" });
  await schedule.runNow("ups");
  const text = metricsText(view(), { serials: false, exclude: [] }, NOW);
  const families = parsePrometheus(text);
  expect(families.get("foundry_agent_ups_on_battery")).toMatchObject({
    type: "gauge",
    samples: [{ labels: { ups: "rack3" }, value: 1 }],
  });
  expect(families.get("foundry_agent_ups_battery_ratio")?.samples[0]?.value).toBe(0.98);
  expect(text).not.toContain("AS1234567890");
});

test("power lost and back: a condition raised, made worse and cleared, and events of both", async () => {
  const { port, variables } = await startUpsd();
  const { schedule, health, events } = rig({ port, ups: "rack3" });
  const conditions = () => health.list().map(({ code, subject, severity }) => [code, subject, severity]);
  await schedule.runNow("ups");
  expect(conditions()).toEqual([]);
  variables["ups.status"] = "OB DISCHRG";
  await schedule.runNow("ups");
  expect(conditions()).toEqual([["ups_on_battery", "rack3", "warning"]]);
  variables["ups.status"] = "OB DISCHRG LB";
  await schedule.runNow("ups");
  expect(conditions()).toEqual([["ups_on_battery", "rack3", "error"]]);
  variables["ups.status"] = "OL CHRG";
  await schedule.runNow("ups");
  expect(conditions()).toEqual([]);
  expect(events.map(({ type, data }) => (type === "ups.power" ? `${type} ${data.after}` : type))).toEqual([
    "condition.raised",
    "ups.power battery",
    "condition.raised",
    "condition.cleared",
    "ups.power mains",
  ]);
});

test("the command line shows its table and its section, which nothing in src/cli knows of", async () => {
  const { port } = await startUpsd();
  const { schedule, view } = rig({ port, ups: "rack3" });
  await schedule.runNow("ups");
  const server = await startServer({ view: view() });
  const collected = await runCli([collectCommand], ["collect", "ups", "--socket", server.controlSocket]);
  expect(collected).toMatchObject({ code: 0, stderr: "" });
  expect(collected.stdout).toContain(
    "UPS    POWER  BATTERY  LEFT    LOAD\nrack3  mains  98 %     49 min  23 %\n",
  );
  const shown = await runCli([reportCommand], ["report", "ups", "--socket", server.statusSocket]);
  expect(shown).toMatchObject({ code: 0, stderr: "" });
  // The generic view: units from the fields' names, and no serial number on the socket for everybody: not even a row for it.
  expect(shown.stdout).toMatch(/^battery runtime +49 min$/m);
  expect(shown.stdout).not.toMatch(/serial|AS1234567890/);
});

test("no upsd is no error but says what to do; an unknown UPS and a broken answer are errors by name", async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port: free } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  expect(await rig({ port: free }).schedule.runNow("ups")).toMatchObject({
    state: "absent",
    reason: { text: `No upsd answers on 127.0.0.1:${free}.`, nextStep: "apt install nut-server" },
  });

  const { port } = await startUpsd();
  expect(await rig({ port, ups: "rack4" }).schedule.runNow("ups")).toMatchObject({
    state: "failed",
    reason: { code: "unknown_ups", nextStep: "upsc -l" },
  });

  const ends = await startUpsd((socket) => socket.end("BEGIN LIST VAR rack3\nVAR rack3 ups.st"));
  expect((await rig({ port: ends.port }).schedule.runNow("ups")).reason?.code).toBe("bad_answer");
  const endless = await startUpsd((socket) => socket.write('VAR rack3 a.b "c"\n'.repeat(5_000)));
  expect((await rig({ port: endless.port }).schedule.runNow("ups")).reason?.code).toBe("bad_answer");
  expect(() => parseVariables("HTTP/1.1 400 Bad Request\r\n\r\n<html>")).toThrow("no variables");
});

test("an upsd that never answers costs its time-out; the last good value stays", async () => {
  let silent = false;
  const upsd = await startUpsd((socket) => {
    if (!silent) socket.write('BEGIN LIST VAR ups\nVAR ups ups.status "OL"\nEND LIST VAR ups\n');
  });
  const { schedule } = rig({ port: upsd.port }, 100);
  expect(await schedule.runNow("ups")).toMatchObject({ state: "ok", data: { power: "mains" } });
  silent = true;
  expect(await schedule.runNow("ups")).toMatchObject({
    state: "stale",
    data: { power: "mains" },
    reason: { code: "timeout" },
  });
});
