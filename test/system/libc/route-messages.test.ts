/** The kernel's answers as bytes: those of real kernels, of links this machine may not have, and any bytes at all. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { openKernelNetwork } from "../../../src/system/libc/kernel-network.ts";
import {
  HEADER_BYTES,
  ipv6Text,
  parseAddresses,
  parseLink,
  parseRoute,
  type RawMessage,
  routeRequest,
  splitMessages,
} from "../../../src/system/libc/route-messages.ts";
import { forAll } from "../../support/for-all.ts";

function attribute(type: number, value: Buffer): Buffer {
  const padded = Buffer.alloc((value.length + 3) & ~3);
  value.copy(padded);
  const head = Buffer.alloc(4);
  head.writeUInt16LE(4 + value.length, 0);
  head.writeUInt16LE(type, 2);
  return Buffer.concat([head, padded]);
}

function message(type: number, flags: number, sequence: number, body: Buffer): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt32LE(HEADER_BYTES + body.length, 0);
  head.writeUInt16LE(type, 4);
  head.writeUInt16LE(flags, 6);
  head.writeUInt32LE(sequence, 8);
  return Buffer.concat([head, body]);
}

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);
const u32 = (value: number): Buffer => {
  const found = Buffer.alloc(4);
  found.writeUInt32LE(value);
  return found;
};

/** RTM_NEWLINK with `linkinfo`. */
function link(kind: string, data: Buffer, more: Buffer = Buffer.alloc(0)): RawMessage {
  const info = attribute(
    18 | 0x8000,
    Buffer.concat([attribute(1, Buffer.from(`${kind}\0`)), attribute(2, data)]),
  );
  return { type: 16, body: Buffer.concat([Buffer.alloc(16), more, info]) };
}

test("a VLAN's id, the kind of whatever made a link, and whether its other end is in a guest", () => {
  expect(
    parseLink([link("vlan", Buffer.concat([attribute(5, u16(0x8100)), attribute(1, u16(300))]))]),
  ).toEqual({
    kind: "vlan",
    vlanId: 300,
    elsewhere: false,
  });
  expect(parseLink([link("team", Buffer.alloc(0))])).toEqual({
    kind: "team",
    vlanId: null,
    elsewhere: false,
  });
  // A vxlan's first attribute is its own id, of another meaning.
  expect(parseLink([link("vxlan", attribute(1, u32(7)))])).toMatchObject({ kind: "vxlan", vlanId: null });
  expect(parseLink([link("veth", Buffer.alloc(0), attribute(37, u32(0)))])).toMatchObject({
    elsewhere: true,
  });
  expect(parseLink([{ type: 16, body: Buffer.alloc(16) }])).toEqual({
    kind: null,
    vlanId: null,
    elsewhere: false,
  });
});

/** RTM_NEWROUTE. */
function route(type: number, attributes: readonly Buffer[], family = 2): RawMessage {
  const body = Buffer.alloc(12);
  body[0] = family;
  body[4] = 254;
  body[7] = type;
  return { type: 24, body: Buffer.concat([body, ...attributes]) };
}

test("a way out with its source, and what is none: a black hole, this machine itself", () => {
  const source = attribute(7, Buffer.from([10, 0, 0, 5]));
  const by = attribute(4, u32(2));
  const via6 = attribute(
    18,
    Buffer.concat([u16(10), Buffer.from("fe800000000000000000000000000001", "hex")]),
  );
  expect(parseRoute([route(1, [by, source, via6, attribute(15, u32(51820))])])).toEqual({
    family: 4,
    index: 2,
    source: "10.0.0.5",
    gateway: "fe80::1",
    table: 51820,
  });
  expect(parseRoute([route(1, [by])])).toMatchObject({ source: null, gateway: null, table: 254 });
  for (const type of [2, 6, 7, 8]) expect(parseRoute([route(type, [by, source])])).toBeNull();
  expect(parseRoute([])).toBeNull();
});

test("addresses of one interface keep the kernel's order; the own one counts, not the peer's", () => {
  const address = (flags: number, scope: number, attributes: readonly Buffer[]): RawMessage => ({
    type: 20,
    body: Buffer.concat([Buffer.from([2, 24, flags, scope]), u32(2), ...attributes]),
  });
  const local = (last: number): Buffer => attribute(2, Buffer.from([10, 0, 0, last]));
  const found = parseAddresses(
    [
      address(0, 0, [attribute(1, Buffer.from([10, 0, 0, 1])), local(9)]),
      address(1, 0, [local(5)]),
      address(0, 253, [local(7)]),
    ],
    (index) => (index === 2 ? "eth0" : null),
  );
  expect(found.map(({ address: text, secondary, scope }) => [text, secondary, scope])).toEqual([
    ["10.0.0.9", false, "global"],
    ["10.0.0.5", true, "global"],
    ["10.0.0.7", false, "link"],
  ]);
});

test("an answer in parts, one of an older question, an error", () => {
  const part = message(16, 2, 7, Buffer.alloc(16));
  const done = message(3, 2, 7, Buffer.alloc(4));
  expect(splitMessages(Buffer.concat([part, part]), 7)).toMatchObject({ messages: [{}, {}], end: null });
  expect(splitMessages(Buffer.concat([part, done]), 7)).toMatchObject({ messages: [{}], end: 0 });
  expect(splitMessages(message(16, 0, 6, Buffer.alloc(16)), 7)).toEqual({ messages: [], end: null });
  const error = Buffer.alloc(20);
  error.writeInt32LE(-101);
  expect(splitMessages(message(2, 0, 7, error), 7)).toEqual({ messages: [], end: 101 });
  expect(splitMessages(message(3, 2, 7, error), 7)).toEqual({ messages: [], end: 101 });
});

test("IPv6 in RFC 5952's form", () => {
  expect(ipv6Text(Buffer.from("20010db8000000000001000000000001", "hex"))).toBe("2001:db8::1:0:0:1");
  expect(ipv6Text(Buffer.alloc(16))).toBe("::");
});

test("whatever bytes come, nothing is thrown and nothing runs for ever", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(message(16, 2, 1, Buffer.alloc(20)), attribute(18, attribute(1, Buffer.from("vlan")))),
  );
  forAll(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(65_535), (pieces, type) => {
      const bytes = Buffer.concat(pieces);
      const { messages } = splitMessages(bytes, 1);
      for (const each of [
        ...messages,
        { type, body: bytes },
        { type: 16, body: bytes },
        { type: 24, body: bytes },
        { type: 20, body: bytes },
      ]) {
        parseLink([each]);
        parseRoute([each]);
        parseAddresses([each], () => "eth0");
      }
    }),
    { seed: 22, cases: 1000 },
  );
});

test("this machine's kernel answers: the loopback interface has its address and is no way out", () => {
  const kernel = openKernelNetwork();
  if (kernel === null) throw new Error("no netlink here");
  expect(kernel.addresses()).toContainEqual({
    interface: "lo",
    address: "127.0.0.1",
    prefix: 8,
    family: 4,
    scope: "host",
    secondary: false,
  });
  expect(kernel.wayTo(Uint8Array.of(127, 0, 0, 1))).toBe("nowhere");
  expect(kernel.link(2 ** 30)).toBeNull();
  kernel.close();
  expect(routeRequest(Uint8Array.of(1, 2, 3, 4)).length).toBe(20);
});
