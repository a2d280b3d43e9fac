import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeBody,
  decodeUntrusted,
  encodeFrame,
  frameReader,
  MAX_REQUEST_BYTES,
} from "../../../src/helper/link/frame.ts";
import { readAnswer, readRequest } from "../../../src/helper/link/request.ts";
import { AgentError, errorCode } from "../../../src/model/errors.ts";
import { forAll } from "../../support/for-all.ts";

const SEED = 20_261_121;
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return "fine";
  } catch (error) {
    return error instanceof AgentError ? error.code : `bug: ${String(error)}`;
  }
};

describe("a frame", () => {
  it("is the length of its JSON in four bytes, big-endian, and the JSON", () => {
    expect(encodeFrame({ a: "é" }, 100).toString("hex")).toBe(
      `0000000a${Buffer.from('{"a":"é"}').toString("hex")}`,
    );
  });

  it("comes out as it went in, however it is cut into pieces", () => {
    forAll(
      fc.property(
        fc.jsonValue(),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (value, cuts) => {
          const frame = encodeFrame(value, 1_000_000);
          const reader = frameReader(1_000_000);
          let body: Buffer | null = null;
          for (let at = 0, turn = 0; at < frame.length; turn++) {
            expect(body).toBeNull();
            const size = cuts[turn % cuts.length] as number;
            body = reader.push(frame.subarray(at, at + size));
            at += size;
          }
          expect(decodeBody(body as Buffer)).toEqual(JSON.parse(JSON.stringify(value)));
        },
      ),
      { seed: SEED, cases: 300 },
    );
  });

  it.each([
    ["empty", "00000000"],
    ["longer than allowed, said by its length alone", "00030001"],
    ["of 4 GiB", "ffffffff"],
    ["followed by another", `${encodeFrame({}, 10).toString("hex")}00`],
  ])("%s is refused", (_name, hex) => {
    expect(codeOf(() => frameReader(MAX_REQUEST_BYTES).push(Buffer.from(hex, "hex")))).toBe(
      "helper_protocol",
    );
  });

  it("that would be too long, or is no JSON, is not made", () => {
    expect(codeOf(() => encodeFrame("x".repeat(99), 100))).toBe("helper_protocol");
    expect(codeOf(() => encodeFrame("x".repeat(98), 100))).toBe("fine");
    const circle: unknown[] = [];
    circle.push(circle);
    for (const value of [undefined, circle, 1n])
      expect(codeOf(() => encodeFrame(value, 100))).toBe("helper_protocol");
  });
});

describe("the body of a client that is not trusted", () => {
  it.each([
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22])],
    ["half a character", Buffer.from('"é"').subarray(0, 2)],
    ["a byte order mark", Buffer.from("\ufeff{}")],
    ["no JSON", "{"],
    ["NaN", "NaN"],
    ["an array nested 17 deep", `${"[".repeat(17)}${"]".repeat(17)}`],
    ["nested as deep as it fits", "[".repeat(30_000) + "]".repeat(30_000)],
    ["deep objects", `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`],
    ["__proto__", '{"__proto__":{"x":1}}'],
    ["constructor inside", '{"a":[{"constructor":1}]}'],
    ["prototype", '{"prototype":null}'],
    ["an escaped __proto__", '{"\\u005f_proto__":1}'],
  ])("%s is refused", (_name, body) => {
    expect(codeOf(() => decodeUntrusted(Buffer.from(body as string)))).toBe("helper_protocol");
  });

  it("nested 16 deep is taken, and the word alone is no key", () => {
    expect(codeOf(() => decodeUntrusted(Buffer.from(`${"[".repeat(16)}${"]".repeat(16)}`)))).toBe("fine");
    expect(decodeUntrusted(Buffer.from('["__proto__"]'))).toEqual(["__proto__"]);
  });

  it("is a request or an AgentError, never anything else", () => {
    const good = { v: 1, id: "a", operation: "noop", args: {}, deadline_ms: 5 };
    const odd = fc.oneof(fc.jsonValue(), fc.constant(1e300), fc.constant("__proto__"));
    const record = fc.record(
      { v: odd, id: odd, operation: odd, args: odd, deadline_ms: odd, sent_ms: odd, source: odd, more: odd },
      { requiredKeys: [] },
    );
    forAll(
      fc.property(
        fc.oneof(
          record,
          fc.jsonValue(),
          record.map((some) => ({ ...good, ...some })),
        ),
        (value) => {
          expect(["fine", "helper_protocol"]).toContain(
            codeOf(() => readRequest(decodeUntrusted(Buffer.from(JSON.stringify(value))), 1_000)),
          );
        },
      ),
      { seed: SEED, cases: 2_000 },
    );
    expect(readRequest({ ...good, deadline_ms: 1e9 }, 5)).toMatchObject({
      deadlineMs: 600_000,
      source: null,
    });
    const underWay = [undefined, 40, 100, 1e15, -1e15].map(
      (sent_ms) => readRequest({ ...good, sent_ms }, 100).underWayMs,
    );
    expect(underWay).toEqual([0, 60, 0, 0, 1e15 + 100]);
  });

  it.each([
    { v: 2 },
    { id: "" },
    { id: "a b" },
    { id: "../x" },
    { id: "x".repeat(129) },
    { operation: "Noop" },
    { operation: "a/b" },
    { args: [] },
    { args: null },
    { deadline_ms: 1.5 },
    { deadline_ms: "5" },
    { sent_ms: "5" },
    { source: "Local" },
    { extra: 1 },
  ])("%j in a request is refused without showing it", (over) => {
    const request = { v: 1, id: "a", operation: "noop", args: {}, deadline_ms: 5, ...over };
    try {
      readRequest(request, 1_000);
      expect.unreachable();
    } catch (error) {
      expect(errorCode(error)).toBe("helper_protocol");
    }
  });
});

it.each([
  null,
  [],
  {},
  { ok: "yes" },
  { ok: true },
  { ok: true, result: 1, more: 1 },
  { ok: false, error: {} },
  { ok: false, error: { code: "a b", message: "x", next_step: null } },
  { ok: false, error: { code: "a", message: "x".repeat(1_001), next_step: null } },
])("%j is no answer", (value) => {
  expect(codeOf(() => readAnswer(value))).toBe("helper_protocol");
});

it("an answer that would be large when built, and a request of many values, are no frames", () => {
  const objects = Buffer.from(`{"ok":true,"result":[${"{},".repeat(600_000)}{}]}`);
  expect(codeOf(() => decodeBody(objects))).toBe("helper_protocol");
  const deep = Buffer.from("[".repeat(1_000_000) + "]".repeat(1_000_000));
  expect(codeOf(() => decodeBody(deep))).toBe("helper_protocol");
  expect(codeOf(() => decodeUntrusted(Buffer.from(`[${"{},".repeat(60_000)}{}]`)))).toBe("helper_protocol");
});
