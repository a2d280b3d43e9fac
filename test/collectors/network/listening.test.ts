/** Ceph's ports among the listening ones of /proc/net/tcp and tcp6. */
import { createServer } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { listeningReader } from "../../../src/collectors/network/listening.ts";
import type { Files } from "../../../src/system/files.ts";
import { hostMachine } from "../../../src/system/machine.ts";
import { forAll } from "../../support/for-all.ts";
import { loadTree, treeMachine } from "../../support/machine/tree.ts";

const readListening = (files: Files) => listeningReader()(files, 0);
const HEAD = "  sl  local_address rem_address   st\n";
const of = (tcp: string, tcp6 = "") =>
  readListening(treeMachine({ files: { "/proc/net/tcp": tcp, "/proc/net/tcp6": tcp6 } }).files);
const line = (address: string, port: number, state = "0A"): string =>
  `   0: ${address}:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 0 0 1\n`;

test("a storage node with a monitor, two OSD ports and a gateway", () => {
  expect(readListening(treeMachine(loadTree("ceph-node")).files)).toEqual({
    ports: [
      { port: 3300, usual: "mon (msgr2)", loopback_only: false },
      { port: 6789, usual: "mon (msgr1)", loopback_only: false },
      { port: 8080, usual: "rgw or other HTTP", loopback_only: false },
      { port: 9283, usual: "mgr prometheus", loopback_only: true },
    ],
    osd_range: 2,
  });
});

test("connections are not looked at, a line cut off is none", () => {
  const connections = line("0100007F", 6789, "01").repeat(5000);
  expect(of(HEAD + line("00000000", 3300) + connections)?.ports).toHaveLength(1);
  // More than the first look takes in.
  expect(
    of(HEAD + line("00000000", 22).repeat(500) + line("00000000", 3300) + connections)?.ports,
  ).toHaveLength(1);
  expect(of(HEAD + line("00000000", 3300).slice(0, 30))?.ports).toEqual([]);
});

test("a port is for loopback only where all who listen on it are", () => {
  const loopback6 = "00000000000000000000000001000000";
  const any6 = "0".repeat(32);
  const mapped = "0000000000000000FFFF00000100007F";
  const only = (tcp: string, tcp6: string) =>
    of(HEAD + tcp, HEAD + tcp6)?.ports.map((one) => one.loopback_only);
  expect(only(line("0100007F", 7480), line(loopback6, 7480))).toEqual([true]);
  expect(only(line("0100007F", 7480), line(mapped, 7480))).toEqual([true]);
  expect(only(line("0100007F", 7480), line(any6, 7480))).toEqual([false]);
  expect(only(line("0200007F", 7480), "")).toEqual([true]);
});

test("the kernel is asked once in five minutes", () => {
  const machine = treeMachine({ files: { "/proc/net/tcp": HEAD + line("00000000", 3300) } });
  const reader = listeningReader();
  const first = reader(machine.files, 0);
  expect(reader(machine.files, 299_999)).toBe(first);
  expect(reader(machine.files, 300_000)).not.toBe(first);
});

test("not known where neither file can be read", () => {
  expect(readListening(treeMachine({ files: {} }).files)).toBeNull();
});

test("this kernel's own files", async () => {
  const server = createServer();
  // Any of the range that is free.
  const listen = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
  const before = readListening(hostMachine().files);
  let port = 7200;
  while (!(await listen(port))) port++;
  const after = readListening(hostMachine().files);
  server.close();
  expect((after?.osd_range ?? 0) - (before?.osd_range ?? 0)).toBeGreaterThanOrEqual(1);
});

test("1 000 mutated files crash nothing", () => {
  const text = HEAD + line("00000000", 3300) + line("0100007F", 6800);
  forAll(
    fc.property(fc.nat(), fc.string({ maxLength: 20 }), fc.nat({ max: 40 }), (seed, junk, cut) => {
      const at = seed % text.length;
      const found = of(text.slice(0, at) + junk + text.slice(at + cut));
      for (const { port } of found?.ports ?? []) expect(port).toBeGreaterThan(0);
    }),
    { seed: 44, cases: 1000 },
  );
});
