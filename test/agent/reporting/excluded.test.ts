/** `report.exclude`: not only sections, but what is said and told of them too. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { excludeConditions } from "../../../src/agent/reporting/exclude-check.ts";
import { excludedFields } from "../../../src/agent/reporting/excluded-fields.ts";
import { allCollectors } from "../../../src/collectors/index.ts";
import { readHostName } from "../../../src/collectors/system/os.ts";
import type { Identity } from "../../../src/model/identity.ts";
import { testAgent, writeConfig } from "../../support/agent/agent.ts";
import { eventually } from "../../support/eventually.ts";
import { loadTree, treeMachine } from "../../support/machine/tree.ts";
import { startSandbox } from "../../support/net/nodefoundry.ts";

test("an excluded field is in no condition and no event made of it", async () => {
  const server = await startSandbox({ nodeRequestsAMinute: 100_000 });
  onTestFinished(() => server.close());
  const machine = treeMachine(loadTree("ceph-node"));
  const net = join(machine.files.root, "sys/class/net");
  const ports = machine.files
    .list("/sys/class/net")
    .filter((name) => machine.files.presence(`/sys/class/net/${name}/device`) === "yes")
    .filter((name) => machine.files.text(`/sys/class/net/${name}/carrier`) === "1");
  const port = ports[0] as string;
  const exclude = ["network.interfaces[name].name", "network.interfaces[name].master"];
  const agent = await testAgent({
    machine,
    toml: `[report]\nexclude = ${JSON.stringify(exclude)}\n[nodefoundry]\nurl = "${server.url}"\n`,
  });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  rmSync(join(net, port, "carrier"));
  writeFileSync(join(net, port, "carrier"), "0\n");
  await agent.view.collect("network");
  await agent.view.sync();
  await eventually(() =>
    (server.inspect().events[nodeId] ?? []).some(({ type }) => type === "network.carrier"),
  );
  const events = server.inspect().events[nodeId] ?? [];
  expect(events.find(({ type }) => type === "network.carrier")?.data).toMatchObject({ carrier: false });
  expect(JSON.stringify(events)).toContain("[excluded]");
  expect(JSON.stringify([events, agent.view.status().conditions])).not.toContain(port);
  // The words that are ours stay what they are.
  for (const { code } of agent.view.status().conditions) expect(code).toMatch(/^[a-z_]+$/);
});

test("a registration leaves out the serial number and the MACs that are excluded", async () => {
  const server = await startSandbox();
  onTestFinished(() => server.close());
  const toml = (more: string): string => `${more}[nodefoundry]\nurl = "${server.url}"\n`;
  const machine = treeMachine(loadTree("ceph-node"));
  const plain = await testAgent({ machine, toml: toml("") });
  const known = await plain.view.enroll("nodefoundry", server.keys.test, {});
  expect(server.inspect().nodes.find(({ id }) => id === known.nodeId)).toMatchObject({
    serial: expect.any(String),
    macs: expect.arrayContaining([expect.any(String)]),
  });
  const exclude = '["system.hardware.product.serial", "network.interfaces[name].permanent_mac"]';
  const agent = await testAgent({ machine, toml: toml(`[report]\nexclude = ${exclude}\n`) });
  const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
  expect(server.inspect().nodes.find(({ id }) => id === nodeId)).toMatchObject({ serial: null, macs: [] });
});

test("a registration goes by another name than the host's when that is excluded, also in a template", async () => {
  const server = await startSandbox();
  onTestFinished(() => server.close());
  const machine = treeMachine(loadTree("vm"));
  const host = readHostName(machine.files).hostname as string;
  const named = async (pattern: string, more = ""): Promise<string> => {
    const agent = await testAgent({
      machine,
      toml: `[report]\nexclude = ["${pattern}"]\n[nodefoundry]\nurl = "${server.url}"\n${more}`,
    });
    const { nodeId } = await agent.view.enroll("nodefoundry", server.keys.test, {});
    // For people on this host nothing is hidden.
    expect(agent.view.status().hostname).toBe(host);
    const node = server.inspect().nodes.find(({ id }) => id === nodeId);
    expect(node?.sync).not.toBeNull();
    return node?.hostname ?? "";
  };
  const standIn = /^node-[0-9a-f]{12}$/;
  expect(await named("cpu.model")).toBe(host);
  for (const pattern of ["system.hostname", "system", "system.*"])
    expect(await named(pattern)).toMatch(standIn);
  expect(await named("system.hostname", 'node_name = "rack4-{hostname}"')).toMatch(
    /^rack4-node-[0-9a-f]{12}$/,
  );
  expect(await named("system.hostname", 'node_name = "rack4"')).toBe("rack4");
});

test("the host's name is hidden before the section is there, and a name of two letters too", () => {
  const { hostname } = excludedFields(["system.hostname"])
    .hider([undefined])
    .identity({
      hostname: "pi",
      machineId: "abcdef0123456789",
      macs: [],
      serial: null,
    } as unknown as Identity);
  expect(hostname).toBe("node-abcdef012345");
});

test("a pattern that names no field is told, one that names any is not", () => {
  const told = (patterns: string[]): (string | undefined)[] =>
    excludeConditions(patterns, allCollectors()).map(({ subject }) => subject);
  const wrong = ["system.serial", "drives.drives.serial", "network.interfaces[name].mac.x", "cpu[]"];
  expect(told(wrong)).toEqual(wrong);
  expect(
    told([
      "network",
      "local.*",
      "local.facts[name].data.rack.row",
      "system.hostname",
      "system.hardware.product.serial",
      "drives.drives[id].serial",
      "network.interfaces[].mac",
      "system.*.product",
    ]),
  ).toEqual([]);
});

test("a pattern that leaves nothing out is a condition until the configuration is mended", async () => {
  const agent = await testAgent({ toml: '[report]\nexclude = ["system.serial"]\n' });
  expect(agent.view.status().conditions).toMatchObject([
    { code: "exclude_unknown", subject: "system.serial" },
  ]);
  writeConfig(agent.folder, '[report]\nexclude = ["system.hostname"]\n');
  await agent.view.reload();
  expect(agent.view.status().conditions).toEqual([]);
});
