/** Whose a connection over loopback is, from the kernel's real table and from tables by hand. */
import { writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openLoopbackUsers } from "../../../src/sockets/metrics/loopback-user.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

const OWN = process.geteuid?.() ?? -1;

async function accepted(listen: string, to: string): Promise<Socket> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: listen, port: 0, ipv6Only: false }, resolve);
  });
  const { port } = server.address() as { port: number };
  const socket = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const client = connect({ host: to, port });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const got = await socket;
  onTestFinished(() => void got.destroy());
  return got;
}

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["127.0.0.1", "127.0.0.1"],
  ["::1", "::1"],
  ["::", "127.0.0.1"],
])("the kernel tells the user of a connection to %s by %s", async (listen, to) => {
  expect(openLoopbackUsers()(await accepted(listen, to))).toBe(OWN);
});

const ENDS = { remoteAddress: "127.0.0.1", remotePort: 40_000, localAddress: "127.0.0.1", localPort: 9_105 };
const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const row = (from: string, to: string, uid: number): string =>
  `   1: ${from} ${to} 01 00000000:00000000 02:000A3B2C 00000000  ${uid}        0 8485763 2 00000000b37f826c 20 4 30 10 -1\n`;
const MINE = row("0100007F:9C40", "0100007F:2391", 998);

function tables(four: string, six = ""): [string, string] {
  const folder = temporaryFolder();
  const paths: [string, string] = [join(folder, "tcp"), join(folder, "tcp6")];
  writeFileSync(paths[0], four);
  writeFileSync(paths[1], six);
  return paths;
}

test("it is the other end's, wherever its row stands, also cut in two by the end of a piece", () => {
  const others = row("0100007F:2391", "0100007F:9C40", 0);
  for (let padding = 0; padding < 200; padding++) {
    const filler = `${"x".repeat(padding)}\n${others.repeat(Math.floor(65_536 / others.length))}`;
    expect(openLoopbackUsers({ tables: tables(HEAD + filler + MINE) })(ENDS)).toBe(998);
  }
  const mapped = row("0000000000000000FFFF00000100007F:9C40", "0000000000000000FFFF00000100007F:2391", 12);
  expect(openLoopbackUsers({ tables: tables(HEAD, HEAD + mapped) })(ENDS)).toBe(12);
  const six = row("00000000000000000000000001000000:9C40", "00000000000000000000000001000000:2391", 13);
  const ends = { ...ENDS, remoteAddress: "::1", localAddress: "::1" };
  expect(openLoopbackUsers({ tables: tables(HEAD, HEAD + six) })(ends)).toBe(13);
});

test("null is what nobody can tell: another host, no such row, no table, an end that is gone, rubbish", () => {
  const users = openLoopbackUsers({ tables: tables(HEAD + MINE) });
  expect(users({ ...ENDS, remoteAddress: "192.0.2.1" })).toBeNull();
  expect(users({ ...ENDS, remotePort: 40_001 })).toBeNull();
  expect(users({})).toBeNull();
  expect(openLoopbackUsers({ tables: ["/nowhere", "/nowhere"] })(ENDS)).toBeNull();
  const cut = MINE.slice(0, 60);
  for (const text of [cut, `${cut}\n`, "\n\n", "\0".repeat(200_000), MINE.replace(" 998 ", " x ")])
    expect(openLoopbackUsers({ tables: tables(text) })(ENDS)).toBeNull();
});

test("looking takes no more than its share of time: then nobody is told apart, and later again", () => {
  let now = 0;
  let cost = 0;
  const users = openLoopbackUsers({
    tables: tables(HEAD + MINE),
    // Twice a look: before it and after it.
    monotonic: () => {
      now += cost / 2;
      return now;
    },
  });
  cost = 100;
  const found = Array.from({ length: 20 }, () => users(ENDS));
  expect(found.filter((uid) => uid !== null).length).toBeLessThan(6);
  expect(found.at(-1)).toBeNull();
  now += 10_000;
  expect(users(ENDS)).toBe(998);
});
