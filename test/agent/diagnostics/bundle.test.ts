import { execFileSync } from "node:child_process";
import { hash, randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BUNDLE_MAX_BYTES, makeBundle } from "../../../src/agent/diagnostics/bundle.ts";
import { BUNDLE_FILES } from "../../../src/agent/diagnostics/contents.ts";
import { excludedFields } from "../../../src/agent/reporting/excluded-fields.ts";
import { bareStatus } from "../../support/agent/bare-view.ts";
import { bundleEvents, bundleInput } from "../../support/agent/bundle.ts";
import { section } from "../../support/agent/pretend.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { NOW } from "../../support/now.ts";
import { unpackBundle } from "../../support/text/tar.ts";

const clockAt = (now: number) => ({ now: () => now, monotonic: () => 0 });
const clock = clockAt(NOW);
const folder = (): string => join(temporaryFolder(), "state", "diagnostics");
const read = async (input = bundleInput()) =>
  unpackBundle(readFileSync((await makeBundle(input, folder(), clock)).path));

test("a file of the time or of the command's id, for its owner only, with every file that its README names", async () => {
  const at = folder();
  const bundle = await makeBundle(bundleInput(), at, clock);
  expect(bundle.path).toBe(join(at, "20261121T120000Z.tar.gz"));
  const bytes = readFileSync(bundle.path);
  expect(bundle).toMatchObject({ bytes: bytes.length, sha256: hash("sha256", bytes, "hex") });
  expect(statSync(bundle.path).mode & 0o777).toBe(0o600);
  expect(statSync(at).mode & 0o777).toBe(0o700);
  const files = unpackBundle(bytes);
  expect(Object.keys(files)).toEqual(["README.txt", ...BUNDLE_FILES.map(([name]) => name)]);
  for (const [name, what] of BUNDLE_FILES)
    expect(files["README.txt"]).toContain(`${name.padEnd(16)} ${what}`);
  expect(files["README.txt"]).not.toContain("Cut");
  expect(JSON.parse(files["report.json"] ?? "").sections.system.data).toEqual({
    hostname: "ceph-osd-07",
    serial: "SN1",
  });
  expect(JSON.parse(files["versions.json"] ?? "")).toMatchObject({
    agent: "0.0.0-test",
    node: process.versions.node,
  });
  expect(files["config.toml"]).toBe(
    'agent.log_level = "info"  # default\nnodefoundry.key_file = "/etc/foundry-agent/key"  # /etc/c.toml:3\n# metrics.listen: off\n',
  );
  expect((await makeBundle(bundleInput({ id: "cmd_7" }), at, clock)).path).toBe(join(at, "cmd_7.tar.gz"));
  expect((await makeBundle(bundleInput({ id: "../../a/.b:c" }), at, clock)).path).toBe(
    join(at, "______a__b_c.tar.gz"),
  );
});

test("the journal with its history, events and log lines, oldest first", async () => {
  const command = {
    id: "cmd_1",
    source: "nodefoundry",
    epoch: "e",
    type: "reboot",
    state: "succeeded" as const,
    receivedAt: NOW,
    command: '{"params":{"method":"graceful"}}',
    error: null,
    progress: '{"step":"reboot"}',
  };
  const history = [{ at: NOW, state: "accepted" as const, step: null, text: "accepted" }];
  const files = await read(
    bundleInput({
      commands: [
        { command, history },
        { command: { ...command, id: "cmd_2", progress: "{damaged" }, history: [] },
      ],
      events: bundleEvents(700, String),
      log: ["one", "two"],
    }),
  );
  expect(JSON.parse(files["commands.json"] ?? "")).toMatchObject([
    {
      id: "cmd_1",
      progress: { step: "reboot" },
      history: [{ state: "accepted", at: "2026-11-21T12:00:00.000Z" }],
    },
    { id: "cmd_2", progress: "{damaged", history: [] },
  ]);
  const events = (files["events.ndjson"] ?? "")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.map(({ data }) => Number(data.text))).toEqual(
    Array.from({ length: 500 }, (_none, index) => 200 + index),
  );
  expect(files["log.txt"]).toBe("one\ntwo\n");
});

test("the same at the same time is the same bytes", async () => {
  const [a, b] = [
    await makeBundle(bundleInput(), folder(), clock),
    await makeBundle(bundleInput(), folder(), clock),
  ];
  expect(a.sha256).toBe(b.sha256);
  expect((await makeBundle(bundleInput(), folder(), clockAt(NOW + 1000))).sha256).not.toBe(a.sha256);
});

const TOKENS = {
  live: "nf_sk_live_CANARY1aaaaaaaa",
  account: "nf_sk_CANARY2aaaaaaaa",
  enrol: "nf_en_CANARY3aaaaaaaa",
  node: "nf_nt_CANARY4aaaaaaaa",
  bearer: "Bearer CANARY5aaaaaaaa0123456789",
  url: "https://user:CANARY6aaaaaaaa@proxy.example.net:3128/",
  key: "-----BEGIN PRIVATE KEY-----\nCANARY7aaaaaaaa\n-----END PRIVATE KEY-----",
  basic: "Proxy-Authorization: Basic Q0FOQVJZ0CANARY8aaaaaaaa",
  jwt: "eyJhbGciOiJIUzI1NiJ9.CANARY9aaaaaaaa.x",
};

test("no secret, wherever somebody put one", async () => {
  const all = Object.values(TOKENS).join(" and ");
  const hidden = { password: "CANARY-PASSWORD", node_token: "CANARY-TOKEN", [TOKENS.live]: all };
  const status = bareStatus();
  const files = await read(
    bundleInput({
      status: {
        ...status,
        conditions: [
          { code: "c", subject: TOKENS.node, severity: "error", text: all, nextStep: all, since: NOW },
        ],
        hold: { reason: `because of ${TOKENS.live}`, by: TOKENS.account, until: null, since: NOW },
      },
      report: { bootId: "b", sections: { local: section("local", { deep: [{ ...hidden, note: all }] }) } },
      commands: [
        {
          command: {
            id: "cmd_1",
            source: "x",
            epoch: "e",
            type: "t",
            state: "failed",
            receivedAt: NOW,
            command: JSON.stringify({ params: hidden }),
            error: { code: "c", message: all },
            progress: JSON.stringify(hidden),
          },
          history: [{ at: NOW, state: "failed", step: null, text: all }],
        },
      ],
      events: bundleEvents(1, () => all),
      log: [`Authorization: Bearer ${TOKENS.node}`, all],
      config: [
        {
          key: "network.proxy",
          value: TOKENS.url,
          origin: { file: `/etc/${TOKENS.enrol}.toml`, line: 1 },
          note: null,
        },
        { key: "collectors.x.password", value: "CANARY-PASSWORD", origin: null, note: null },
        { key: "collectors.x.list", value: [{ token: "CANARY-TOKEN" }, all], origin: null, note: null },
        { key: "collectors.x.none", value: null, origin: null, note: all },
      ],
      os: all,
    }),
  );
  for (const [name, text] of Object.entries(files))
    expect([name, /.{0,40}CANARY.*/.exec(text)?.[0]]).toEqual([name, undefined]);
  // And they are hidden, not left out: what was around them is there.
  expect(files["log.txt"]).toContain("nf_nt_[hidden]");
  expect(files["status.json"]).toContain("because of nf_sk_live_[hidden]");
  expect(() => JSON.parse(files["report.json"] ?? "")).not.toThrow();
});

test("what report.exclude names is in no sentence, no event, no log line and no configuration", async () => {
  const secret = section("system", { hostname: "secret-host-7", serial: "SN-SECRET-1" });
  const excluded = excludedFields(["system.hostname", "system.serial"]);
  const hider = excluded.hider([secret]);
  const told = "secret-host-7 with SN-SECRET-1 failed";
  const files = await read(
    bundleInput({
      status: {
        ...bareStatus(),
        hostname: "secret-host-7",
        conditions: [{ code: "c", severity: "error", text: told, nextStep: null, since: NOW }],
      },
      report: { bootId: "b", sections: { system: excluded.from(secret) } },
      events: bundleEvents(1, () => told),
      log: [told],
      config: [{ key: "agent.name", value: "secret-host-7", origin: null, note: null }],
      hide: (value) => hider.value(value),
    }),
  );
  for (const [name, text] of Object.entries(files))
    expect([name, /secret-host|SN-SECRET/.test(text)]).toEqual([name, false]);
  expect(files["log.txt"]).toBe("[excluded] with [excluded] failed\n");
});

test("at most three are kept: the new one always, then the youngest", async () => {
  const at = folder();
  for (let one = 1; one <= 5; one++) {
    const { path } = await makeBundle(bundleInput({ id: `cmd_${one}` }), at, clock);
    utimesSync(path, one, one);
  }
  expect(readdirSync(at).sort()).toEqual(["cmd_3.tar.gz", "cmd_4.tar.gz", "cmd_5.tar.gz"]);
  // A clock that went back: all others look younger.
  for (const name of readdirSync(at))
    utimesSync(join(at, name), 4e9 + Number(name[4]), 4e9 + Number(name[4]));
  await makeBundle(bundleInput({ id: "cmd_0" }), at, clock);
  expect(readdirSync(at).sort()).toEqual(["cmd_0.tar.gz", "cmd_4.tar.gz", "cmd_5.tar.gz"]);
});

test("what a killed process left behind goes, what is no bundle stays", async () => {
  const at = folder();
  mkdirSync(at, { recursive: true });
  chmodSync(at, 0o755);
  writeFileSync(join(at, "cmd_1.tar.gz.new"), "half");
  writeFileSync(join(at, "notes.txt"), "mine");
  await makeBundle(bundleInput({ id: "cmd_1" }), at, clock);
  expect(readdirSync(at).sort()).toEqual(["cmd_1.tar.gz", "notes.txt"]);
  expect(statSync(at).mode & 0o777).toBe(0o700);
});

test("too much is cut until it fits, and says what is missing", async () => {
  const noise = (bytes: number): string => randomBytes(bytes).toString("base64");
  const files = await read(bundleInput({ events: bundleEvents(500, () => noise(15_000)), log: ["line"] }));
  expect(files["README.txt"]).toContain(
    "Cut because it would have become too large: the last 100 of 500 events",
  );
  expect((files["events.ndjson"] ?? "").trim().split("\n")).toHaveLength(100);
  const huge = { bootId: "b", sections: { local: section("local", { text: noise(5_500_000) }) } };
  const bundle = await makeBundle(bundleInput({ report: huge }), folder(), clock);
  expect(bundle.bytes).toBeLessThan(BUNDLE_MAX_BYTES);
  const cut = unpackBundle(readFileSync(bundle.path));
  expect(cut["README.txt"]).toContain("sections without their data");
  expect(JSON.parse(cut["report.json"] ?? "").sections.local).toMatchObject({ state: "ok", data: null });
  const status = { ...bareStatus(), hostname: noise(5_500_000) };
  await expect(makeBundle(bundleInput({ status }), folder(), clock)).rejects.toMatchObject({
    code: "diagnostics_too_large",
  });
});

test("where it can't be written it says so, with the next step", async () => {
  const at = folder();
  mkdirSync(join(at, ".."), { recursive: true });
  symlinkSync("/dev/null", at);
  await expect(makeBundle(bundleInput(), at, clock)).rejects.toMatchObject({
    code: "diagnostics_not_writable",
    nextStep: `ls -ld ${at}`,
  });
});

test("no space left: nothing half is left, and what was there stays", async ({ skip }) => {
  const at = join(temporaryFolder(), "small");
  mkdirSync(at);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", at], { stdio: "ignore" });
  } catch {
    skip("needs the right to mount");
  }
  onTestFinished(() => void execFileSync("umount", [at]));
  await makeBundle(bundleInput({ id: "cmd_1" }), at, clock);
  const large = bundleInput({
    id: "cmd_2",
    log: Array.from({ length: 200 }, () => randomBytes(600).toString("hex")),
  });
  await expect(makeBundle(large, at, clock)).rejects.toMatchObject({
    code: "diagnostics_no_space",
    nextStep: `df -h ${at}  # then once more`,
  });
  expect(readdirSync(at)).toEqual(["cmd_1.tar.gz"]);
});
