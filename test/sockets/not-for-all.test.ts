/** What stands in files that not everybody may read, or was said on control.sock, is not on the socket that all may open. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FACTS_FOLDER, localCollector } from "../../src/collectors/local/local.ts";
import type { ApiStatus } from "../../src/sockets/agent-view.ts";
import { ROUTES } from "../../src/sockets/routes/table.ts";
import { openFiles } from "../../src/system/files.ts";
import { hostMachine } from "../../src/system/machine.ts";
import { testAgent } from "../support/agent/agent.ts";
import { pretendEvents, pretendSections, pretendStatus, section } from "../support/agent/pretend.ts";
import { FILLED, fullView } from "../support/agent/routes.ts";
import { ask, startServer } from "../support/agent/unix-http.ts";
import { waitingRecord } from "../support/commands/records.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { NOW } from "../support/now.ts";
import { collectMachine } from "../support/text/shape.ts";

const CANARY = "CANARY-17";

async function viewWithSecrets() {
  const root = temporaryFolder();
  const folder = join(root, FACTS_FOLDER);
  mkdirSync(folder, { recursive: true });
  const put = (name: string, mode: number): void => {
    writeFileSync(join(folder, name), `{"contract": "${CANARY} ${name}"}`);
    chmodSync(join(folder, name), mode);
  };
  put("closed.json", 0o640);
  put("open.json", 0o644);
  chmodSync(root, 0o755);
  const machine = { ...hostMachine({ root }), files: openFiles(root) };
  const data = await collectMachine(localCollector(), machine);
  const view = await fullView();
  pretendSections(view, { local: section("local", data) });
  return view;
}

test("a fact from a closed file is on no public route, with why, and on control.sock it is", async () => {
  const server = await startServer({ view: await viewWithSecrets() });
  for (const { method, path, socket } of ROUTES) {
    if (method !== "GET" || socket !== "status") continue;
    const { text } = await ask(server.statusSocket, FILLED[path] ?? path);
    expect([path, text.includes(`${CANARY} closed`)]).toEqual([path, false]);
  }
  const shown = (await ask(server.statusSocket, "/v1/report/local")).json.data.data.facts;
  expect(shown).toEqual([
    { name: "closed", data: null, closed: true, hidden: expect.stringContaining("control.sock only") },
    { name: "open", data: { contract: `${CANARY} open.json` } },
  ]);
  const whole = (await ask(server.controlSocket, "/v1/report/local")).json.data.data.facts;
  expect(whole[0]).toEqual({ name: "closed", data: { contract: `${CANARY} closed.json` }, closed: true });
});

test("values of a configuration that not everybody may read are in no sentence that everybody may", async () => {
  const house = temporaryFolder();
  chmodSync(house, 0o755);
  const toml = (url: string) => `[nodefoundry]\nurl = "${url}"\n`;
  const agent = await testAgent({ folder: house, toml: toml("https://canary.invalid:4711/api") });
  const statusSocket = join(house, "run", "status.sock");
  const controlSocket = join(house, "run", "control.sock");
  const broken = `${toml("https://canary.invalid:4711/api")}[network]\nprofile = "canary"\n`;
  writeFileSync(agent.configFile, broken);
  await agent.view.reload();
  const texts = async (socket: string): Promise<string[]> => {
    const { conditions, control_apis } = (await ask(socket, "/v1/status")).json.data;
    return [conditions[0].text, control_apis[0].last_error.text];
  };
  const lastError = { code: "tls", text: "No TLS with canary.invalid:4711: it is another.", at: NOW };
  const [api] = agent.view.status().controlApis;
  pretendStatus(agent.view, { controlApis: [{ ...(api as ApiStatus), lastError }] });
  const whole = await texts(controlSocket);
  expect(whole).toEqual([expect.stringContaining('"canary"'), lastError.text]);
  for (const [mode, isSeen] of [
    [0o640, false],
    [0o644, true],
  ] as const) {
    chmodSync(agent.configFile, mode);
    const shown = await texts(statusSocket);
    if (isSeen) expect(shown).toEqual(whole);
    else expect(shown.join(" ")).not.toContain("canary");
    expect(await texts(controlSocket)).toEqual(whole);
  }
});

test("why somebody holds the node, and who, is for administrators: status, commands, why, events", async () => {
  const view = await fullView();
  const waiting = waitingRecord();
  const text = `CANARY-ann holds this node since now, until it is released: ${CANARY}.`;
  const held = {
    ...waiting,
    progress: { ...waiting.progress, why: { code: "held", text, nextStep: "foundry-agent release" } },
  };
  const row = {
    ...view.commands(9)[1],
    command: JSON.stringify(held.asked),
    progress: JSON.stringify(held.progress),
  };
  view.commands = () => [row as never];
  view.command = () => row as never;
  view.commandRecord = () => held;
  pretendStatus(view, {
    waitingCommands: [held],
    runningCommand: held,
    hold: { reason: CANARY, by: "CANARY-ann", since: NOW, until: null },
  });
  pretendEvents(view).happen({
    type: "hold",
    severity: "warning",
    data: { by: "CANARY-ann", reason: CANARY },
  });
  const server = await startServer({ view });
  for (const path of [
    "/v1/status",
    "/v1/commands",
    "/v1/commands/cmd_waiting",
    "/v1/why/cmd_waiting",
    "/v1/events",
  ]) {
    const open = await ask(server.statusSocket, path);
    expect([path, open.status, open.text.includes("CANARY")]).toEqual([path, 200, false]);
    expect((await ask(server.controlSocket, path)).text).toContain("CANARY");
  }
  const { hold, waiting_commands } = (await ask(server.statusSocket, "/v1/status")).json.data;
  expect(hold).toMatchObject({ by: "an administrator", reason: "shown on control.sock only" });
  expect(waiting_commands[0].waiting).toMatchObject({
    code: "held",
    text: expect.stringContaining("is held"),
  });
});
