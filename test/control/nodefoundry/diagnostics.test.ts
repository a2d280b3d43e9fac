/** Uploads of diagnostics bundles: the real client, the real sandbox, and servers that answer otherwise. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { ControlApi } from "../../../src/control/control-api.ts";
import { type Agent, failureOf, input, signal } from "../../support/control/context.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { startPlainServer } from "../../support/net/tls.ts";
import { openAgent, type Rig, startRig } from "./rig.ts";

interface File {
  readonly path: string;
  readonly bytes: number;
  readonly data: Buffer;
}

function bundle(data: Buffer = gzipSync("a bundle")): File {
  const path = join(temporaryFolder(), "bundle.tar.gz");
  writeFileSync(path, data);
  return { path, bytes: data.length, data };
}

const upload = (api: ControlApi, id: string, { path, bytes }: File): Promise<void> =>
  api.upload?.(id, path, bytes, signal) ?? Promise.reject(new Error("no upload"));

async function registered(
  rig: Rig,
  config: Parameters<Rig["agent"]>[0] = {},
): Promise<{ agent: Agent; nodeId: string }> {
  const agent = rig.agent(config);
  await agent.api.enroll(rig.sandbox.keys.enrol, {}, signal);
  await agent.api.sync(input({ system: {} }), signal);
  return { agent, nodeId: agent.api.status().nodeId ?? "" };
}

/** A command that the sandbox gives this node; its id. */
async function command({ sandbox }: Rig, nodeId: string, type: string, params = {}): Promise<string> {
  const answer = await fetch(`${sandbox.url}/v1/nodes/${nodeId}/commands`, {
    method: "POST",
    headers: { authorization: `Bearer ${sandbox.keys.test}`, "content-type": "application/json" },
    body: JSON.stringify({ type, params }),
  });
  const { data } = (await answer.json()) as { data: { id?: string; command_id?: string } };
  return data.command_id ?? data.id ?? "";
}

test("a bundle arrives byte for byte, as gzip, and is counted as traffic", async () => {
  const rig = await startRig();
  const { agent, nodeId } = await registered(rig);
  const id = await command(rig, nodeId, "diagnostics");
  const file = bundle(randomBytes(300_000));
  const before = agent.traffic.sent;
  await upload(agent.api, id, file);
  expect(agent.traffic.sent - before).toBeGreaterThan(file.bytes);
  const put = rig.seen.find(({ method }) => method === "PUT");
  expect(put).toMatchObject({ path: `/v1/nodes/${nodeId}/diagnostics/${id}`, status: 201 });
  expect(put?.headers).toMatchObject({
    "content-type": "application/gzip",
    "content-length": String(file.bytes),
  });
  expect(put?.headers["content-encoding"]).toBeUndefined();
  const kept = await fetch(`${rig.sandbox.url}/v1/nodes/${nodeId}/diagnostics/${id}`, {
    headers: { authorization: `Bearer ${rig.sandbox.keys.test}` },
  });
  expect(Buffer.from(await kept.arrayBuffer()).equals(file.data)).toBe(true);
  // The same once more, as after a lost answer.
  await upload(agent.api, id, file);
});

test("what the sandbox does not take", async () => {
  const rig = await startRig();
  const { agent, nodeId } = await registered(rig);
  const file = bundle();
  expect(await failureOf(upload(agent.api, "cmd_unknown", file))).toBe("upload_refused");
  const other = await command(rig, nodeId, "collect");
  expect(await failureOf(upload(agent.api, other, file))).toBe("upload_refused");
  expect(agent.api.status()).toMatchObject({ enrolled: true, nodeId });
  expect(agent.conditions.size).toBe(0);
});

test("nothing is sent that is too large, that is not there, or without a session", async () => {
  const rig = await startRig();
  const { agent } = await registered(rig);
  const sent = rig.seen.length;
  expect(await failureOf(upload(agent.api, "cmd_1", bundle(Buffer.alloc(5 * 1024 * 1024 + 1))))).toBe(
    "upload_too_large",
  );
  expect(await failureOf(upload(agent.api, "cmd_1", { ...bundle(), path: "/nonexistent/b" }))).toBe(
    "upload_unreadable",
  );
  expect(await failureOf(upload(rig.agent().api, "cmd_1", bundle()))).toBe("upload_unsupported");
  expect(rig.seen).toHaveLength(sent);
});

test("on a metered network none above 1 MiB, and smaller ones are", async () => {
  const rig = await startRig();
  const { agent, nodeId } = await registered(rig, { profile: "metered" });
  const id = await command(rig, nodeId, "diagnostics");
  expect(await failureOf(upload(agent.api, id, bundle(Buffer.alloc(1024 * 1024 + 1))))).toBe(
    "upload_metered",
  );
  await upload(agent.api, id, bundle());
  expect(rig.seen.filter(({ method }) => method === "PUT")).toHaveLength(1);
});

test("the token before is tried where the new one is not known", async () => {
  const rig = await startRig();
  const { agent, nodeId } = await registered(rig);
  const id = await command(rig, nodeId, "diagnostics");
  const session = JSON.parse(agent.values.get("session") ?? "");
  agent.values.set(
    "session",
    JSON.stringify({ ...session, token: "nf_nt_never_given", previousToken: session.token }),
  );
  await upload(agent.api, id, bundle());
  expect(rig.seen.filter(({ method }) => method === "PUT").map(({ status }) => status)).toEqual([401, 201]);
});

test("what other answers mean", async () => {
  const answers: [status: number, body: object | null, code: string][] = [
    [404, null, "upload_unsupported"],
    [404, { code: "not_found", message: "" }, "upload_unsupported"],
    [404, { code: "node_not_found", message: "" }, "node_not_found"],
    [405, null, "upload_unsupported"],
    [501, null, "upload_unsupported"],
    [409, { code: "whatever", message: "no nf_sk_live_canary1" }, "upload_refused"],
    [409, { code: "two_instances", message: "" }, "two_instances"],
    [413, null, "upload_too_large"],
    [401, null, "credential_refused"],
    [429, null, "rate_limited"],
    [500, null, "unavailable"],
  ];
  let next = 0;
  const { url } = await startPlainServer((incoming, response) => {
    incoming.resume();
    incoming.on("end", () => {
      const [status, body] = answers[next] ?? [500, null];
      response.writeHead(status, { "content-type": body === null ? "text/html" : "application/json" });
      response.end(body === null ? "<html>" : JSON.stringify({ error: body }));
    });
  });
  const session = {
    nodeId: "node_1",
    token: "nf_nt_a",
    previousToken: null,
    mode: "live",
    waitS: null,
    fresh: false,
    openCommands: [],
  };
  const agent = openAgent(url, {}, { values: new Map([["session", JSON.stringify(session)]]) });
  for (; next < answers.length; next++) {
    const [status, body, code] = answers[next] as (typeof answers)[number];
    const error = await upload(agent.api, "cmd_1", bundle()).then(
      () => ({ code: "none", message: "" }),
      (thrown: { code: string; message: string }) => thrown,
    );
    expect([status, body, error.code]).toEqual([status, body, code]);
    expect(error.message).not.toContain("canary1");
  }
});
