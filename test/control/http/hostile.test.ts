/** A server that means harm: every part of an answer that can be made large, long or endless, on a real connection. */
import type { Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { AgentError } from "../../../src/model/errors.ts";
import { forEver, plainAnswer, startHostile } from "../../support/net/hostile.ts";
import { codeOf, get, open, post } from "../../support/net/http-client.ts";

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const CHUNKED = `${HEAD}transfer-encoding: chunked\r\n\r\n`;
const GZIP = "content-encoding: gzip\r\n";
const MIB = 1024 * 1024;
/** What the two ends of a connection on loopback hold, which a writer is rid of before anybody reads it. */
const UNDER_WAY = 16 * MIB;

async function refused(
  misbehave: (socket: Socket) => void,
  request: Partial<typeof get> & { totalMs?: number } = {},
): Promise<{ code: string; text: string; written: number }> {
  const server = await startHostile(misbehave);
  const asked = open(server.url).request({ ...get, ...request });
  const code = await codeOf(asked);
  const error = await asked.catch((thrown: unknown) => thrown);
  expect((error as AgentError).nextStep, code).not.toBeNull();
  return { code, text: (error as AgentError).message, written: server.written() };
}

/** What a client makes of an answer right after: the connection before it has left nothing behind. */
async function goesOn(url: string): Promise<void> {
  expect((await open(url).request(get)).body).toEqual({ data: "fine" });
}

describe("what is around an answer", () => {
  test("endless headers, in one line and in many", async () => {
    for (const piece of ["x".repeat(4096), "x-more: y\r\n".repeat(400)]) {
      const { code, text, written } = await refused((socket) => {
        socket.write(`${HEAD}x-long: `);
        forEver(socket, piece);
      });
      expect({ code, text }).toMatchObject({
        code: "bad_answer",
        text: expect.stringContaining("headers, trailers"),
      });
      expect(written).toBeLessThan(UNDER_WAY);
    }
  });

  test("announcements without end, small and large, and one that changes the protocol", async () => {
    for (const hint of [
      "HTTP/1.1 103 Early Hints\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      `HTTP/1.1 103 Early Hints\r\nlink: <${"x".repeat(8000)}>\r\n\r\n`,
    ]) {
      const { code, text, written } = await refused((socket) => forEver(socket, hint));
      expect({ code, text }).toMatchObject({ code: "bad_answer", text: expect.stringContaining("1xx") });
      expect(written).toBeLessThan(UNDER_WAY);
    }
    const switched = await startHostile((socket) =>
      forEver(socket, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    );
    expect(await codeOf(open(switched.url).request(get))).toBe("bad_answer");
  });

  test("a few announcements before an answer are no harm", async () => {
    const server = await startHostile((socket) => {
      socket.write("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(3));
      socket.write(plainAnswer('{"data":"fine"}'));
    });
    await goesOn(server.url);
  });

  test("trailers and chunk extensions without end, and chunks of a byte", async () => {
    for (const [name, start, piece] of [
      ["one long trailer", `${CHUNKED}2\r\n{}\r\n0\r\nx-trailer: `, "x".repeat(4096)],
      ["many trailers", `${CHUNKED}2\r\n{}\r\n0\r\n`, "x-trailer: y\r\n".repeat(400)],
      ["one long extension", `${CHUNKED}1;x=`, "y".repeat(4096)],
      ["an extension a chunk", CHUNKED, `1;x=${"y".repeat(8000)}\r\n \r\n`],
      ["chunks of a byte", CHUNKED, "1\r\n \r\n".repeat(500)],
    ] as const) {
      const { code, written } = await refused((socket) => {
        socket.write(start);
        forEver(socket, piece);
      });
      expect(["bad_answer", "answer_too_large"], name).toContain(code);
      expect(written, name).toBeLessThan(UNDER_WAY);
    }
  });

  test("a length that is a lie: too long, too short, two of them, with chunks, and no number", async () => {
    const ended = (text: string) => (socket: Socket) => void socket.end(text);
    expect((await startedLength(String(2 ** 53))).code).toBe("answer_too_large");
    const short = await startHostile(ended(`${HEAD}content-length: 100\r\n\r\n{}`));
    expect(await codeOf(open(short.url).request(get))).toBe("connection_lost");
    for (const lie of ["2\r\ncontent-length: 3", "2\r\ntransfer-encoding: chunked", "-1", "0x2"])
      expect((await startedLength(lie)).code, lie).toBe("bad_answer");
    // More than was said: the answer is what was said, or none at all; what follows hurts nobody.
    const more = await startHostile((socket, again) => {
      socket.write(
        again === 0 ? `${plainAnswer('{"data":"fine"}')}{"data":2}` : plainAnswer('{"data":"fine"}'),
      );
    });
    const http = open(more.url);
    await http.request(get).catch((error: unknown) => expect(error).toBeInstanceOf(AgentError));
    expect((await http.request(get)).body).toEqual({ data: "fine" });
  });

  const startedLength = (length: string) =>
    refused((socket) => void socket.write(`${HEAD}content-length: ${length}\r\n\r\n{}`));

  test("a trickle of redirects is over with the whole request, not with each of them", async () => {
    const server = await startHostile((socket, again) => {
      // The third is never answered.
      if (again < 2)
        setTimeout(
          () => socket.write(`HTTP/1.1 307 T\r\nlocation: /${again}\r\ncontent-length: 0\r\n\r\n`),
          120,
        );
    });
    expect(await codeOf(open(server.url).request({ ...get, totalMs: 400 }))).toBe("total_timeout");
    expect(server.asked.length).toBeLessThanOrEqual(3);
  });
});

describe("the body", () => {
  const answering = (body: string | Buffer, headers = "") =>
    refused((socket) => void socket.write(plainAnswer(body, headers)));

  test.each([
    ["brackets", "[".repeat(4 * MIB)],
    ["brackets within the limit of bytes", "[".repeat(MIB - 1)],
    ["closed brackets", "[".repeat(MIB / 2) + "]".repeat(MIB / 2)],
    ["1.4 million empty objects", `[${"{},".repeat(1_400_000)}{}]`],
    ["as many as a MiB holds", `[${"{},".repeat(340_000)}{}]`],
    ["members of an object", `{${Array.from({ length: 80_000 }, (_, n) => `"${n}":1`).join(",")}}`],
    ["numbers", `[${"1,".repeat(500_000)}1]`],
  ])("small when packed and large when built: %s", async (_name, body) => {
    for (const [sent, headers] of [
      [gzipSync(body), GZIP],
      [body, ""],
    ] as const) {
      const { code } = await answering(sent, headers);
      expect(["bad_answer", "answer_too_large"]).toContain(code);
    }
  });

  test("gzip that unpacks to gzip, to nothing for ever, or is two after another", async () => {
    expect((await answering(gzipSync(gzipSync("{}")), GZIP)).code).toBe("bad_answer");
    const nothing = Buffer.concat(Array.from({ length: 30_000 }, () => gzipSync("")));
    expect((await answering(nothing, GZIP)).code).toBe("bad_answer");
    const half = gzipSync(`"${"x".repeat(600 * 1024)}`);
    expect((await answering(Buffer.concat([half, half]), GZIP)).code).toBe("answer_too_large");
  });

  test("what a server may well send is read: a MiB of it, 60 levels, 30 000 values", async () => {
    for (const body of [
      JSON.stringify({ data: "x".repeat(MIB - 100) }),
      "[".repeat(60) + "]".repeat(60),
      JSON.stringify(Array.from({ length: 30_000 }, (_, n) => n)),
    ]) {
      const server = await startHostile((socket) => void socket.write(plainAnswer(gzipSync(body), GZIP)));
      expect((await open(server.url).request(get)).body).toEqual(JSON.parse(body));
    }
  });

  test("an error answer keeps its status, whatever is in its body", async () => {
    const cases: (readonly [string, Buffer])[] = [
      ["too long", plainAnswer(`"${"x".repeat(65 * 1024)}"`, "", "503 U")],
      ["too long when unpacked", plainAnswer(gzipSync(`"${"x".repeat(65 * 1024)}"`), GZIP, "503 U")],
      ["a bomb", plainAnswer(gzipSync("[".repeat(4 * MIB)), GZIP, "503 U")],
      ["a length that is a lie", Buffer.from("HTTP/1.1 503 U\r\ncontent-length: 999999999\r\n\r\n")],
      ["objects", plainAnswer(`[${"{},".repeat(20_000)}{}]`, "", "503 U")],
    ];
    for (const [name, bytes] of cases) {
      const server = await startHostile((socket) => void socket.write(bytes));
      const http = open(server.url);
      for (let again = 0; again < 2; again++)
        expect(await http.request(post), name).toMatchObject({ status: 503, body: undefined });
    }
    const endless = await startHostile((socket) => {
      socket.write("HTTP/1.1 429 T\r\nretry-after: 7\r\ntransfer-encoding: chunked\r\n\r\n");
      forEver(socket, `1000\r\n${" ".repeat(4096)}\r\n`);
    });
    expect(await open(endless.url).request(post)).toMatchObject({
      status: 429,
      headers: { "retry-after": "7" },
    });
    expect(endless.written()).toBeLessThan(UNDER_WAY);
  });
});
