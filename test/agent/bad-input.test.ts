/** Networks, servers, keys and machines that do not behave: a condition with a next step each, and nothing lost. */
import { chmodSync } from "node:fs";
import { expect, test } from "vitest";
import { testAgent } from "../support/agent/agent.ts";
import {
  codes,
  condition,
  eventTypes,
  expectAlive,
  freePort,
  keyFile,
  pointedAt,
  sandbox,
  twice,
} from "../support/agent/server.ts";
import { loadTree, treeMachine } from "../support/machine/tree.ts";
import { startPlainServer } from "../support/net/tls.ts";

test("no network: connections refused, then everything is told", async () => {
  const port = await freePort();
  const keys = { enrol: "nf_en_0123456789abcdef" };
  const agent = await testAgent({
    toml: pointedAt(`http://127.0.0.1:${port}`, { enrol_key_file: keyFile({ keys }) }),
  });
  await twice(agent);
  expect(condition(agent, "reporting_failed")).toMatchObject({
    subject: "nodefoundry",
    text: expect.stringContaining("refuses connections"),
    nextStep: expect.stringMatching(/^nc -zv -w 10 127\.0\.0\.1 \d+ {2}# /),
  });
  expect(agent.view.status().controlApis).toMatchObject([
    { breaker: "open", lastError: { code: "connect_refused" }, pendingEvents: expect.any(Number) },
  ]);
  expectAlive(agent);
  const server = await sandbox({ listen: `127.0.0.1:${port}`, keys });
  await twice(agent);
  expect(codes(agent)).not.toContain("reporting_failed");
  const nodeId = agent.view.status().nodeId ?? "";
  expect(eventTypes(server, nodeId)).toEqual(
    expect.arrayContaining(["condition.raised reporting_failed", "condition.cleared reporting_failed"]),
  );
});

test("no network: a name that can't be looked up", async () => {
  const keys = { enrol: "nf_en_0123456789abcdef" };
  const agent = await testAgent({
    toml: pointedAt("https://api.foundry.invalid", { enrol_key_file: keyFile({ keys }) }),
  });
  await twice(agent);
  expect(condition(agent, "reporting_failed")).toMatchObject({
    text: expect.stringContaining("api.foundry.invalid"),
    nextStep: "getent ahosts api.foundry.invalid",
  });
  expectAlive(agent);
});

test("a control API that answers HTML, half an object, or 5 MB", async () => {
  const server = await sandbox();
  const agent = await testAgent({ toml: pointedAt(server.url) });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  for (const kind of ["html", "broken_json", "large"] as const) {
    const fault = server.faults.set({ kind });
    await twice(agent);
    expect([kind, condition(agent, "reporting_failed")]).toMatchObject([
      kind,
      {
        text: expect.stringContaining("127.0.0.1"),
        nextStep: expect.stringMatching(/^foundry-agent config show {2}# is url /),
      },
    ]);
    expectAlive(agent);
    server.faults.clear(fault);
    await twice(agent);
    expect(codes(agent)).toEqual([]);
  }
  expect(eventTypes(server, nodeId)).toHaveLength(6);
  expect(agent.view.status().controlApis[0]?.pendingEvents).toBe(0);
});

test("an enrolment key that everybody may read is not used, and the line to type is given", async () => {
  const server = await sandbox();
  const key = keyFile(server);
  chmodSync(key, 0o644);
  const agent = await testAgent({ toml: pointedAt(server.url, { enrol_key_file: key }) });
  await twice(agent);
  expect(condition(agent, "reporting_failed")).toMatchObject({
    text: expect.stringContaining(`every user of this host can reach ${key}`),
    nextStep: expect.stringMatching(new RegExp(`^chown \\S+ ${key} && chmod 06[04]0 ${key}$`)),
  });
  expect(server.inspect().requestCount).toBe(0);
  chmodSync(key, 0o600);
  await twice(agent);
  expect(agent.view.status()).toMatchObject({ nodeId: expect.any(String), conditions: [] });
});

test("many rounds asked for at once come one after another", async () => {
  let [inFlight, most, all] = [0, 0, 0];
  const { url } = await startPlainServer((_request, response) => {
    all++;
    most = Math.max(most, ++inFlight);
    setTimeout(() => {
      inFlight--;
      response.writeHead(500).end("{}");
    }, 20);
  });
  const keys = { enrol: "nf_en_0123456789abcdef" };
  const agent = await testAgent({ toml: pointedAt(url, { enrol_key_file: keyFile({ keys }) }) });
  await Promise.all([agent.view.sync(), agent.view.sync(), agent.view.sync(), agent.view.sync()]);
  expect(all).toBeGreaterThanOrEqual(4);
  expect(most).toBe(1);
});

test("a collector that fails costs its section and a condition, and all else goes on", async () => {
  let broken = true;
  const pi = treeMachine(loadTree("pi4"));
  const addresses = (): null => {
    if (broken) throw new TypeError("the kernel said something new");
    return null;
  };
  const agent = await testAgent({ machine: { ...pi, addresses } });
  expect(agent.view.report().sections.network).toMatchObject({ state: "failed", data: null });
  expect(codes(agent)).not.toContain("collector_failed");
  await agent.view.collect("network");
  expect(condition(agent, "collector_failed")).toMatchObject({
    subject: "network",
    text: expect.stringContaining("the kernel said something new"),
    nextStep: "foundry-agent collect network",
  });
  expectAlive(agent);
  broken = false;
  await agent.view.collect("network");
  expect(codes(agent)).not.toContain("collector_failed");
  expect(agent.view.report().sections.network?.state).toBe("ok");
});

test("a machine that answers with garbage registers and is reported all the same", async () => {
  const server = await sandbox();
  const node = loadTree("ceph-node");
  const garbage = {
    base64: Buffer.from(Array.from({ length: 4096 }, (_, n) => (n * 37) % 256)).toString("base64"),
  };
  const files = {
    ...node.files,
    "/proc/sys/kernel/hostname": `${"h".repeat(300)}\n`,
    "/etc/hostname": `${"h".repeat(300)}\n`,
    "/etc/os-release": `PRETTY_NAME="${"o".repeat(10_000_000)}"\n`,
    "/etc/machine-id": garbage,
    "/sys/class/dmi/id/product_serial": garbage,
    "/sys/class/dmi/id/product_name": garbage,
    "/proc/meminfo": "MemTotal:      ",
    "/proc/stat": garbage,
    "/proc/net/dev": garbage,
    "/proc/net/route": garbage,
    "/proc/uptime": "",
    "/proc/cpuinfo": garbage,
  };
  const agent = await testAgent({ toml: pointedAt(server.url), machine: treeMachine({ ...node, files }) });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  expect((await agent.view.sync())[0]).toMatchObject({ ok: true });
  expect(Object.keys(server.inspect().reports[nodeId]?.sections ?? {}).sort()).toEqual(
    Object.keys(agent.view.report().sections).sort(),
  );
  expectAlive(agent);
  expect(JSON.stringify(agent.view.report()).length).toBeLessThan(500_000);
});
