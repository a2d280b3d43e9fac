/** The ports to the helper: behind a socket (also behind a wrong one), in this process, and none. */
import { writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { directHelper } from "../../../src/helper/direct.ts";
import { socketHelper } from "../../../src/helper/link/client.ts";
import { encodeFrame } from "../../../src/helper/link/frame.ts";
import type { CallOptions, HelperPort } from "../../../src/helper/port.ts";
import { noHelper } from "../../../src/helper/port.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { eventually } from "../../support/eventually.ts";
import { actingOperation, type HelperHouse, helperHouse, testHelper } from "../../support/helper/helper.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

const never = new AbortController().signal;
const codeOf = async (
  port: HelperPort,
  operation = "noop",
  args = {},
  options?: CallOptions,
): Promise<unknown> => {
  try {
    return await port.call(operation, args, never, options);
  } catch (error) {
    return error instanceof AgentError ? error.code : `bug: ${String(error)}`;
  }
};

/** Something that listens and does `serve` with whoever connects; it is gone when the test is over. */
async function wrongHelper(serve: (socket: Socket) => void): Promise<HelperPort> {
  const path = join(temporaryFolder(), "helper.sock");
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket.on("error", () => undefined));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return socketHelper({ path, answerMs: 200 });
}
const answering = (bytes: Uint8Array) =>
  wrongHelper((socket) => socket.once("data", () => socket.end(bytes)));
const header = (length: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
};

describe.each([
  [
    "socket",
    async (house: HelperHouse, acts: string[]) => {
      await testHelper(house, { moreOperations: [actingOperation("act", "reboot", acts)] });
      return socketHelper({ path: house.socket });
    },
  ],
  [
    "direct",
    async (house: HelperHouse, acts: string[]) => {
      const port = directHelper({
        policyPath: house.policyPath,
        stateFolder: house.stateFolder,
        audit: () => undefined,
        moreOperations: [actingOperation("act", "reboot", acts)],
      });
      onTestFinished(() => port.close());
      return port;
    },
  ],
])("%s", (kind, open) => {
  it("carries out, refuses and limits the same", async () => {
    const [house, acts] = [helperHouse(), [] as string[]];
    const port = await open(house, acts);
    expect(port.how).toEqual({ kind });
    expect(await codeOf(port)).toEqual({});
    expect(await codeOf(port, "nope")).toBe("helper_refused");
    expect(await codeOf(port, "noop", { x: 1 })).toBe("helper_refused");
    expect(await codeOf(port, "noop", JSON.parse('{"__proto__":1}'))).toBe("helper_protocol");
    expect(await codeOf(port, "noop", { x: "y".repeat(200_000) })).toBe("helper_protocol");
    expect(await codeOf(port, "noop", {}, { deadlineMs: 0 })).toBe("helper_timeout");
    expect(await codeOf(port, "noop", {}, { id: "not an id" })).toBe("helper_protocol");
    expect(await codeOf(port, "act")).toBe("helper_refused");
    for (let i = 0; i < 2; i++)
      expect(await codeOf(port, "act", {}, { source: "local", id: "one" })).toEqual({ done: true });
    for (const id of ["two", "three", "four"]) await codeOf(port, "act", {}, { source: "local", id });
    expect(acts).toHaveLength(3);
    expect(await codeOf(port, "act", {}, { source: "local", id: "five" })).toBe("helper_refused");
  });

  it("a call that is given up ends as helper_timeout", async () => {
    const port = await open(helperHouse(), []);
    await expect(port.call("noop", {}, AbortSignal.abort())).rejects.toMatchObject({
      code: "helper_timeout",
    });
  });

  it("the policy can be looked at, also when it can't be used", async () => {
    const house = helperHouse();
    const port = await open(house, []);
    expect(await codeOf(port, "policy.show")).toMatchObject({ usable: true, policy: { remote: "on" } });
    house.policy("[x]");
    expect(await codeOf(port, "policy.show")).toMatchObject({
      usable: false,
      next_step: `sudoedit ${house.policyPath}`,
    });
  });
});

describe("a helper that is not one", () => {
  it.each([
    ["garbage", Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), "helper_protocol"],
    ["an empty frame", header(0), "helper_protocol"],
    ["a frame that would be too long", header(2 * 1024 * 1024 + 1), "helper_protocol"],
    ["half a header", Buffer.from([0, 0]), "helper_protocol"],
    ["half an answer", encodeFrame({ ok: true, result: {} }, 100).subarray(0, 9), "helper_protocol"],
    [
      "two answers",
      Buffer.concat(Array(2).fill(encodeFrame({ ok: true, result: {} }, 100))),
      "helper_protocol",
    ],
    ["no JSON", Buffer.concat([header(3), Buffer.from("nix")]), "helper_protocol"],
    ["no UTF-8", Buffer.concat([header(3), Buffer.from([0x22, 0xff, 0x22])]), "helper_protocol"],
    ["another shape", encodeFrame({ result: 1 }, 100), "helper_protocol"],
    [
      "a code that is none",
      encodeFrame({ ok: false, error: { code: "\u001b[31m", message: "", next_step: null } }, 200),
      "helper_protocol",
    ],
    ["nothing", Buffer.alloc(0), "helper_failed"],
  ])("answers %s", async (_name, bytes, code) => {
    expect(await codeOf(await answering(bytes))).toBe(code);
  });

  it("hangs up at once, or never answers", async () => {
    expect(await codeOf(await wrongHelper((socket) => void socket.destroy()))).toBe("helper_failed");
    const silent = await wrongHelper((socket) => void socket.resume());
    expect(await codeOf(silent, "noop", {}, { deadlineMs: 50 })).toBe("helper_timeout");
  });

  it("a call that is given up while it waits lets the other side know", async () => {
    let gone = false;
    let asked = false;
    const port = await wrongHelper((socket) => {
      socket.on("data", () => {
        asked = true;
      });
      socket.on("close", () => {
        gone = true;
      });
    });
    const stop = new AbortController();
    const call = port.call("noop", {}, stop.signal);
    await eventually(() => asked);
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: "helper_timeout" });
    await eventually(() => gone);
  });
});

it("no socket, a file in its place, a socket without a helper: absent, with the line to type", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "file");
  writeFileSync(file, "");
  for (const path of [join(folder, "nothing"), join(file, "x"), file]) {
    const call = socketHelper({ path }).call("noop", {}, never);
    await expect(call).rejects.toMatchObject({
      code: "helper_absent",
      message: expect.stringContaining(path),
      nextStep: "systemctl enable --now foundry-agent-helper.socket",
    });
  }
});

it("none: every call says why and what to type", async () => {
  const port = noHelper("needs_helper", "apt install foundry-agent");
  expect(port.how).toEqual({
    kind: "none",
    need: "needs_helper",
    nextStep: "apt install foundry-agent",
  });
  await expect(port.call("noop", {}, never)).rejects.toMatchObject({
    code: "helper_absent",
    message: "this needs the helper",
    nextStep: "apt install foundry-agent",
  });
});
