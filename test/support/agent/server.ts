/** What tests of a whole agent against a sandbox share: the two of them, and short questions to either. */
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { temporaryFolder } from "../machine/tree.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../net/nodefoundry.ts";
import type { TestAgent } from "./agent.ts";

/** Gone when the test is over; no limit that a test would run into. */
export async function sandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const started = await startSandbox({ nodeRequestsAMinute: 100_000, ...options });
  onTestFinished(() => started.close());
  return started;
}

/** A file with the enrolment key as it should be. */
export function keyFile(server: { keys: { enrol: string } }): string {
  const file = join(temporaryFolder(), "enrol.key");
  writeFileSync(file, server.keys.enrol, { mode: 0o600 });
  return file;
}

export function pointedAt(url: string, more: Record<string, string> = {}): string {
  const lines = Object.entries({ url, ...more }).map(([key, value]) => `${key} = "${value}"`);
  return `[nodefoundry]\n${lines.join("\n")}\n`;
}

/** A port nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const codes = (agent: TestAgent): string[] => agent.view.status().conditions.map(({ code }) => code);
export const condition = (agent: TestAgent, code: string) =>
  agent.view.status().conditions.find((one) => one.code === code);
export const eventTypes = (server: Sandbox, nodeId: string) =>
  (server.inspect().events[nodeId] ?? []).map(({ type, data }) => `${type} ${data.code ?? ""}`);

/** Still collecting, still answering: whatever else is wrong. */
export function expectAlive(agent: TestAgent): void {
  expect(agent.view.healthy()).toEqual({ ok: true, reason: null });
  expect(Object.keys(agent.view.report().sections)).toContain("system");
}

/** Two rounds: a condition is raised only by the second failure in a row. */
export async function twice(agent: TestAgent): Promise<void> {
  await agent.view.sync();
  await agent.view.sync();
}

/** @returns the command's id */
export async function reboot(server: Sandbox, nodeId: string): Promise<string> {
  const answer = await fetch(`${server.url}/v1/nodes/${nodeId}/reboot`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.keys.test}`, "content-type": "application/json" },
    body: "{}",
  });
  return ((await answer.json()) as { data: { command_id: string } }).data.command_id;
}
