import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { SANDBOX_APIS } from "../../src/sandbox/index.ts";
import { readStateFile } from "../../src/sandbox/state-file.ts";
import { temporaryFolder } from "../support/machine/tree.ts";
import { type SandboxOptions, startSandbox } from "../support/net/nodefoundry.ts";
import { call, enrolAgent, testSandbox } from "../support/net/sandbox.ts";
import { certificate } from "../support/net/tls.ts";

const refusal = async (options: SandboxOptions): Promise<unknown> =>
  await startSandbox(options).then(
    async (sandbox) => await sandbox.close(),
    (error) => error,
  );

test("listens on loopback only", async () => {
  for (const listen of [
    "0.0.0.0:0",
    "192.168.1.2:80",
    "[::]:0",
    "example.org:80",
    "127.0.0.1.example.org:1",
  ]) {
    expect(await refusal({ listen })).toMatchObject({
      code: "not_loopback",
      nextStep: "foundry-agent sandbox --listen 127.0.0.1:8484",
    });
  }
  for (const listen of ["127.0.0.1", ":80", "127.0.0.1:99999", "127.0.0.1:x", ""]) {
    expect(await refusal({ listen })).toMatchObject({ code: "invalid_listen" });
  }
  const { sandbox } = await testSandbox({ listen: "localhost:0" });
  expect(sandbox.url).toMatch(/^http:\/\/localhost:\d+$/);
  const taken = await refusal({ listen: `localhost:${new URL(sandbox.url).port}` });
  expect(taken).toMatchObject({ code: "address_in_use" });
});

test("the front page has lines to paste and no keys", async () => {
  const { sandbox } = await testSandbox();
  const page = await call(sandbox.url, null, "GET /");
  expect(page.headers["content-type"]).toBe("text/plain; charset=utf-8");
  expect(page.text).toContain(`curl -s -X POST ${sandbox.url}/v1/nodes/$NODE/reboot`);
  for (const key of Object.values(sandbox.keys)) expect(page.text).not.toContain(key);
});

test("keys are random, and can be given", async () => {
  const { sandbox } = await testSandbox();
  const { sandbox: other } = await testSandbox({ keys: { live: "nf_sk_live_given" } });
  expect(sandbox.keys.live).toMatch(/^nf_sk_live_[A-Za-z0-9]{32}$/);
  expect(sandbox.keys.test).toMatch(/^nf_sk_test_/);
  expect(sandbox.keys.readOnly).toMatch(/^nf_sk_ro_/);
  expect(sandbox.keys.enrol).toMatch(/^nf_en_/);
  expect(other.keys.test).not.toBe(sandbox.keys.test);
  expect((await call(other.url, "nf_sk_live_given", "GET /v1/nodes")).status).toBe(200);
});

test("a state file keeps keys, nodes and commands over a restart, readable by its owner only", async () => {
  const stateFile = join(temporaryFolder(), "sandbox.json");
  const first = await startSandbox({ stateFile });
  const agent = await enrolAgent(first);
  await agent.sync({ hashes: { system: "h1" }, sections: { system: { hostname: "ceph-01" } } });
  const asked = await call(first.url, first.keys.live, `POST /v1/nodes/${agent.id}/reboot`);
  await first.close();
  expect(statSync(stateFile).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(stateFile, ".."))).toEqual(["sandbox.json"]);

  const { sandbox: second } = await testSandbox({ stateFile });
  expect(second.keys).toEqual(first.keys);
  expect(second.inspect().epoch).toBe(first.inspect().epoch);
  const again = await call(second.url, agent.token, `POST /v1/nodes/${agent.id}/sync`, {
    body: {
      instance: agent.instance,
      seq: 2,
      boot_id: "boot-1",
      sent_at: "2026-11-20T12:00:00Z",
      agent_version: "0.1.0",
      next_due_s: 60,
      status: "online",
      hashes: { system: "h1" },
    },
  });
  expect(again.body.data.resync).toEqual([]);
  expect(again.body.data.commands.map((command: { id: string }) => command.id)).toEqual([
    asked.body.data.command_id,
  ]);
});

test("the state file is written while it runs, not only at the end", async () => {
  const stateFile = join(temporaryFolder(), "sandbox.json");
  const { sandbox } = await testSandbox({ stateFile });
  const before = statSync(stateFile).size;
  await enrolAgent(sandbox);
  await expect.poll(() => statSync(stateFile).size).toBeGreaterThan(before);
});

test("a file from before an API was added is still a state file", async () => {
  const stateFile = join(temporaryFolder(), "sandbox.json");
  await (await startSandbox({ stateFile })).close();
  const later = [...SANDBOX_APIS, { name: "later", keys: { later: "later_" } }];
  expect(readStateFile(stateFile, later)?.apis).toHaveProperty("nodefoundry");
});

test("a file of somebody else is refused: left as it is, not quoted, and nobody is told to delete it", async () => {
  const stateFile = join(temporaryFolder(), "sandbox.json");
  const contents = [
    "root:x:0:0:Canary",
    "{",
    '{"version": "Canary"}',
    '{"version":1,"keys":{},"apis":{}}',
    "",
  ];
  for (const content of contents) {
    writeFileSync(stateFile, content);
    const error = await refusal({ stateFile });
    expect(error).toMatchObject({
      code: "state_file_unreadable",
      message: `${stateFile} is not a state file of the sandbox.`,
      nextStep: "foundry-agent sandbox --state sandbox-2.json  # one that is not there yet",
    });
    expect(inspect(error)).not.toContain("Canary");
    expect(readFileSync(stateFile, "utf8")).toBe(content);
  }
  const keys = { live: "nf_sk_live_1", test: "nf_sk_test_1", readOnly: "nf_sk_ro_1", enrol: "nf_en_1" };
  writeFileSync(stateFile, JSON.stringify({ version: 1, keys, apis: { nodefoundry: { version: 99 } } }));
  expect(await refusal({ stateFile })).toMatchObject({
    code: "state_file_unreadable",
    message: `${stateFile} holds a state of nodefoundry that this version does not understand.`,
    nextStep: "foundry-agent sandbox --state sandbox-2.json  # one that is not there yet",
  });
  for (const strange of [temporaryFolder(), "/dev/zero"])
    expect(await refusal({ stateFile: strange })).toMatchObject({ code: "state_file_unreadable" });
});

test("no folder is made for a state file", async () => {
  const folder = join(temporaryFolder(), "deep");
  const missing = {
    code: "state_file_unreadable",
    message: `There is no folder ${folder} to keep a state file in.`,
  };
  expect(await refusal({ stateFile: join(folder, "sandbox.json") })).toMatchObject(missing);
  expect(existsSync(folder)).toBe(false);
  writeFileSync(folder, "");
  expect(await refusal({ stateFile: join(folder, "sandbox.json") })).toMatchObject(missing);
});

test("a state file that can't be written is a sentence, and nothing listens then", async () => {
  const listening = () => process.getActiveResourcesInfo().filter((name) => name === "TCPServerWrap").length;
  const folder = temporaryFolder();
  // With the ending of the file that is written first it is longer than a name may be.
  const stateFile = join(folder, "s".repeat(250));
  expect(await refusal({ stateFile })).toMatchObject({
    code: "state_file_unwritable",
    message: `The state file ${stateFile} can't be written: the name is too long.`,
  });
  await expect.poll(listening).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

test("closing ends what is held open", async () => {
  const sandbox = await startSandbox();
  const agent = await enrolAgent(sandbox);
  await agent.sync();
  const held = agent.exchange({ wait_s: 300 }).then(
    () => "answered",
    () => "cut",
  );
  await expect.poll(() => sandbox.inspect().nodes[0]?.sync?.seq).toBe(2);
  await sandbox.close();
  expect(["answered", "cut"]).toContain(await held);
});

test("it says what happens, without secrets", async () => {
  const lines: string[] = [];
  const { sandbox } = await testSandbox({ log: (line) => lines.push(line) });
  const agent = await enrolAgent(sandbox);
  await call(sandbox.url, sandbox.keys.live, `POST /v1/nodes/${agent.id}/reboot`);
  const text = lines.join("\n");
  expect(text).toContain("ceph-01 (live)");
  expect(text).toContain("command reboot");
  for (const secret of [...Object.values(sandbox.keys), agent.token]) expect(text).not.toContain(secret);
});

test("it can speak TLS", async () => {
  const { sandbox } = await testSandbox({ listen: "localhost:0", tls: certificate("server") });
  expect(sandbox.url).toMatch(/^https:/);
  const status = await new Promise((resolve, reject) => {
    get(`${sandbox.url}/`, { ca: certificate("ca").cert, agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    }).on("error", reject);
  });
  expect(status).toBe(200);
});
