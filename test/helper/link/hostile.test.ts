/**
 * A main process that has been taken over: it can open the socket and say whatever it likes. Nothing that the
 * policy denies happens, the helper does not crash, does not hang, and still answers.
 */
import { readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { encodeFrame } from "../../../src/helper/link/frame.ts";
import { openFiles } from "../../../src/system/files.ts";
import { runProgram } from "../../../src/system/program.ts";
import { eventually } from "../../support/eventually.ts";
import { forAllAsync } from "../../support/for-all.ts";
import {
  actingOperation,
  ask,
  helperHouse,
  requestFrame,
  sendRaw,
  testHelper,
} from "../../support/helper/helper.ts";
import { layTree } from "../../support/machine/tree.ts";

const SEED = 20_261_121;
/** Local may only locate; nothing comes from the network. */
const NARROW = '[commands]\nremote = "off"\n[allow]\nlocal = ["locate"]\nnodefoundry = ["reboot", "wipe"]\n';

it("thousands of odd frames: an answer or a closed door each, and a noop after each batch", async () => {
  const house = helperHouse(NARROW);
  const acts: string[] = [];
  const { lines } = await testHelper(house, {
    transferMs: 100,
    moreOperations: ["reboot", "wipe", "smart_test"].map((word) => actingOperation(word, word, acts)),
  });
  const good = fc.record({
    operation: fc.constantFrom(
      "noop",
      "reboot",
      "wipe",
      "smart_test",
      "throttled",
      "drive.locate",
      "policy.show",
    ),
    source: fc.constantFrom("local", "nodefoundry", "root", "__proto__"),
    id: fc.string(),
    args: fc.oneof(fc.constant({}), fc.object()),
    deadline_ms: fc.oneof(fc.integer(), fc.double()),
  });
  const json = fc.oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    good.map((request) => JSON.stringify({ v: 1, ...request })),
    good.map((request) => JSON.stringify({ v: 1, ...request }).slice(0, -3)),
    fc.integer({ min: 1, max: 20_000 }).map((depth) => "[".repeat(depth)),
    fc.string({ unit: "binary" }),
  );
  const length = (body: Buffer, by: number): Buffer => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(Math.max(0, body.length + by));
    return Buffer.concat([header, body]);
  };
  const odd = fc.oneof(
    { weight: 5, arbitrary: json.map((text) => length(Buffer.from(text), 0)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(json, fc.integer({ min: -9, max: 9 }))
        .map(([text, by]) => length(Buffer.from(text), by)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => length(Buffer.from(bytes), 0)) },
  );
  let sent = 0;
  const batches = await forAllAsync(
    fc.asyncProperty(fc.array(odd, { minLength: 150, maxLength: 170 }), async (frames) => {
      sent += frames.length;
      await Promise.all(frames.map((frame, index) => sendRaw(house.socket, frame, { end: index % 3 === 0 })));
      expect(await ask(house.socket)).toBe("ok");
    }),
    { seed: SEED, cases: 22 },
  );
  expect(sent).toBeGreaterThanOrEqual(150 * batches);
  expect(acts).toEqual([]);
  expect(readdirSync(house.stateFolder)).toEqual(["audit"]);
  expect(readdirSync(join(house.stateFolder, "audit"))).toEqual(["refused.log"]);
  for (const line of lines()) expect(line).toMatch(/^<6>[\x20-\x7e]+\n$/);
});

it("every way to have something changed that the policy denies", async () => {
  const house = helperHouse(NARROW);
  const acts: string[] = [];
  const words = ["reboot", "wipe", "upgrade", "smart_test", "drain"];
  await testHelper(house, { moreOperations: words.map((word) => actingOperation(word, word, acts)) });
  const policy = readFileSync(house.policyPath, "utf8");
  const ids = [
    "cmd_1",
    "cmd_1",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "../../etc/passwd",
    "__proto__",
    "",
    "x".repeat(200),
  ];
  const sources = ["local", "nodefoundry", "root", "helper", undefined, "LOCAL", "local ", "__proto__", 1];
  const answers = new Set<string>();
  for (const operation of words)
    for (const source of sources)
      for (const id of ids)
        for (const deadline_ms of [5_000, 0, -1, 1e12, Number.MAX_SAFE_INTEGER])
          answers.add(await ask(house.socket, { operation, source, id, deadline_ms }));
  expect([...answers].sort()).toEqual(["helper_protocol", "helper_refused", "helper_timeout"]);
  expect(acts).toEqual([]);
  expect(readFileSync(house.policyPath, "utf8")).toBe(policy);
  expect(readdirSync(house.stateFolder)).toEqual(["audit"]);
  expect(readdirSync(join(house.stateFolder, "audit"))).toEqual(["refused.log"]);
});

it("foreign arguments and path tricks for a drive's light touch nothing but a drive of the helper's own look", async () => {
  const root = layTree({
    files: {
      "/proc/uptime": "100 1",
      "/proc/sys/kernel/random/boot_id": "b1",
      "/sys/devices/pci0000:00/host0/target0:0:1/0:0:1:0/block/sda/dev": "8:0",
      "/sys/devices/pci0000:00/host0/target0:0:1/0:0:1:0/vpd_pg80": "\0\0\0\x08SERIAL01",
      "/sys/class/enclosure/0:0:9:0/Slot 01/locate": "0",
      "/etc/canary/locate": "untouched",
      "/sys/devices/virtual/block/dm-0/dev": "253:0",
    },
    links: {
      "/sys/block/sda": "../devices/pci0000:00/host0/target0:0:1/0:0:1:0/block/sda",
      "/sys/devices/pci0000:00/host0/target0:0:1/0:0:1:0/block/sda/device": "../../../0:0:1:0",
      "/sys/class/enclosure/0:0:9:0/Slot 01/device":
        "../../../../devices/pci0000:00/host0/target0:0:1/0:0:1:0",
      "/sys/block/dm-0": "../devices/virtual/block/dm-0",
    },
  });
  const house = helperHouse('[allow]\nlocal = ["locate"]\n');
  const ran: string[] = [];
  await testHelper(house, {
    files: openFiles(root),
    run: (argv, options) => {
      ran.push(argv.join(" "));
      return runProgram(argv, options);
    },
  });
  let id = 0;
  const locate = (args: unknown): Promise<string> =>
    ask(house.socket, { operation: "drive.locate", source: "local", id: `l${id++}`, args });
  const names = [
    "/dev/sda",
    "../sda",
    "sda/../../../etc/canary",
    "sda\0",
    "sda;reboot",
    "$(reboot)",
    "-rf",
    "*",
    ".",
    "dm-0",
    "--help",
    "SDA",
    "",
  ];
  for (const name of names) {
    for (const key of ["name", "serial", "wwn"])
      expect(await locate({ [key]: name, on: true })).toMatch(/^(?:drive_unknown|helper_refused)$/);
  }
  for (const args of [
    { name: "sda" },
    { name: "sda", on: "yes" },
    { name: "sda", serial: "SERIAL01", on: true },
    { name: "sda", on: true, path: "/etc/canary/locate" },
    { name: "sda", on: true, for_s: 1e9 },
    { name: "sda", on: true, for_s: -1 },
    { name: ["sda"], on: true },
    { on: true },
  ])
    expect(await locate(args)).toBe("helper_refused");
  expect([ran, readFileSync(join(root, "etc/canary/locate"), "utf8")]).toEqual([[], "untouched"]);
  const light = (): string => readFileSync(join(root, "sys/class/enclosure/0:0:9:0/Slot 01/locate"), "utf8");
  expect(await locate({ serial: "SERIAL01", on: true, for_s: 3_600 })).toBe("ok");
  expect(light()).toBe("1");
  expect(await locate({ name: "sda", on: false })).toBe("ok");
  expect(light()).toBe("0");
});

it("floods of connections: opened and left, opened and closed, asked and not waited for", async () => {
  const house = helperHouse(NARROW);
  const { server } = await testHelper(house, { transferMs: 300, idleExitMs: 1_000 });
  const open: Socket[] = [];
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
  });
  for (let i = 0; i < 1_500; i++) {
    const socket = connect(house.socket).on("error", () => undefined);
    open.push(socket);
    if (i % 3 === 0) socket.write(requestFrame());
    if (i % 3 === 1) socket.write(encodeFrame({ odd: i }, 100).subarray(0, 7));
    if (i % 5 === 0) socket.destroy();
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually(async () => (await ask(house.socket)) === "ok");
  // Those that are held open are closed by the helper, which then ends by itself.
  expect(await server.ended).toBe("idle");
});
