/** The helper as a process of its own: started by systemd's protocol or by hand, killed at bad moments, asked by a stranger. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { activatedSocket } from "../../src/helper/link/activation.ts";
import { openNative } from "../../src/system/native.ts";
import { type AgentChild, startChild } from "../support/agent/child.ts";
import { NOBODY, runUnprivileged } from "../support/agent/unprivileged.ts";
import { repeat } from "../support/budget.ts";
import { ask, type HelperHouse, helperHouse, testHelper } from "../support/helper/helper.ts";
import { listeningSocket } from "../support/net/listening-socket.ts";

const IS_ROOT = process.geteuid?.() === 0;
const CHILD = fileURLToPath(new URL("../support/helper/child.ts", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const source = (path: string): string => new URL(`../../src/${path}`, import.meta.url).href;

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stderr(): string;
}

/** Started, and gone when the test is over. */
function running(program: string, args: readonly string[], fd: number | "ignore" = "ignore"): Running {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe", fd],
    env: { PATH: process.env.PATH },
  });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += String(chunk);
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal })),
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { process: child, ended, stderr: () => said };
}

describe("killed", () => {
  const POLICY = '[allow]\nlocal = ["smart_test"]\n';
  const actsOf = (house: HelperHouse): string[] => {
    const file = join(house.folder, "acts");
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  };
  async function start(house: HelperHouse, dies: string): Promise<Running> {
    rmSync(house.socket, { force: true }); // a killed one leaves it; systemd's socket stays anyway
    const child = running(process.execPath, [
      CHILD,
      house.socket,
      house.policyPath,
      house.stateFolder,
      join(house.folder, "acts"),
      dies,
    ]);
    await new Promise<void>((resolve, reject) => {
      child.process.stdout?.once("data", () => resolve());
      void child.ended.then(() => reject(new Error(child.stderr())));
    });
    return child;
  }
  const act = (house: HelperHouse, id: string): Promise<string> =>
    ask(house.socket, { operation: "act", source: "local", id, args: { what: id } });

  it.each([
    ["lanes", "before the record: done when asked again", "ok", ["cmd"]],
    ["before", "between the record and the act: never done", "outcome_unknown", []],
    ["after", "between the act and its outcome: not done again", "outcome_unknown", ["cmd"]],
  ])("%s: %s", async (dies, _what, then, acts) => {
    const house = helperHouse(POLICY);
    const first = await start(house, dies);
    expect(await act(house, "cmd")).toBe("closed");
    expect((await first.ended).signal).toBe("SIGKILL");
    await start(house, "never");
    for (let i = 0; i < 2; i++) expect(await act(house, "cmd")).toBe(then);
    expect(actsOf(house)).toEqual(acts);
    expect(await act(house, "other")).toBe("ok");
  });

  it("at any moment: each id is done at most once, and exactly once when it was answered", async () => {
    const house = helperHouse(POLICY);
    const answers = new Map<string, string[]>();
    const note = (id: string, answer: string): void =>
      void answers.set(id, [...(answers.get(id) ?? []), answer]);
    await repeat(8, async (life) => {
      const child = await start(house, "never");
      const calls = Array.from({ length: 6 }, async (_, i) =>
        note(`${life}-${i}`, await act(house, `${life}-${i}`)),
      );
      if (life > 0) calls.push(act(house, `${life - 1}-5`).then((answer) => note(`${life - 1}-5`, answer)));
      const after = (life * 37) % 23;
      setTimeout(() => child.process.kill("SIGKILL"), after);
      await Promise.all([...calls, child.ended]);
    });
    await start(house, "never");
    for (const id of answers.keys()) note(id, await act(house, id));
    const acts = actsOf(house);
    expect([...answers.values()].flat()).toEqual(expect.arrayContaining(["closed", "ok"]));
    expect(new Set(acts).size).toBe(acts.length);
    for (const [id, given] of answers) {
      expect(given.every((answer) => ["ok", "closed", "outcome_unknown"].includes(answer))).toBe(true);
      if (given.includes("ok")) expect(acts).toContain(id);
      expect(given.at(-1)).not.toBe("closed");
    }
  });
});

describe.skipIf(!IS_ROOT)("another user of this host", () => {
  /** What user nobody gets on this socket: an error's code of the port, or "ok". */
  async function asNobody(path: string): Promise<string> {
    const { stdout } = await runUnprivileged({
      before: "const { socketHelper } = await import(process.argv[1]);",
      script: `const port = socketHelper({ path: process.argv[2] });
      console.log(await port.call("noop", {}, new AbortController().signal).then(() => "ok", ({ code, message }) => code + ": " + message));`,
      args: [source("helper/link/client.ts"), path],
    });
    return stdout.trim();
  }

  it.each([
    ["with the kernel's word on who connects", undefined],
    ["without it", null],
  ])("can't open the socket, %s", async (_name, native) => {
    const house = helperHouse();
    chmodSync(house.folder, 0o755); // so that it is the socket's own mode that counts
    await testHelper(house, native === null ? { native } : {});
    expect(await asNobody(house.socket)).toBe(
      `helper_absent: the helper's socket ${house.socket} may not be opened by this user`,
    );
    expect(await ask(house.socket)).toBe("ok");
  });

  it.skipIf(openNative() === null)("is not served even on a socket that lets everybody in", async () => {
    const house = helperHouse();
    chmodSync(house.folder, 0o755);
    const { audits } = await testHelper(house);
    chmodSync(house.socket, 0o666);
    expect(await asNobody(house.socket)).toMatch(/^helper_failed: /);
    expect(audits()).toEqual([
      expect.objectContaining({
        audit: null,
        outcome: "helper_refused",
        message: "uid 65534 is not served: only the agent and root are",
        peer: expect.objectContaining({ uid: NOBODY }),
      }),
    ]);
  });
});

describe("foundry-agent helper", () => {
  const byHand = (house: HelperHouse, ...more: string[]): AgentChild =>
    startChild([
      "helper",
      "--socket",
      house.socket,
      "--state",
      house.stateFolder,
      "--policy",
      house.policyPath,
      ...more,
    ]);
  const listening = async (house: HelperHouse, child: AgentChild): Promise<void> => {
    let over = false;
    void child.ended.then(() => {
      over = true;
    });
    while ((await ask(house.socket)) !== "ok") if (over) throw new Error(child.stderr());
  };

  it("by hand on a socket of its own: serves, writes one line a call, ends with 0 when nobody asks", async () => {
    const house = helperHouse();
    const child = byHand(house, "--idle", "0.5");
    await listening(house, child);
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(child.stderr()).toMatch(/^\{"level":30,.*"audit":"noop",.*"outcome":"ok".*\}\n$/m);
    expect(child.stdout()).toBe("");
  });

  it("ends with 0 when it is told to", async () => {
    const house = helperHouse();
    const child = byHand(house);
    await listening(house, child);
    child.process.kill("SIGTERM");
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(existsSync(house.socket)).toBe(false);
  });

  it("takes systemd's socket, also what waits in it, and leaves it there for the next", async () => {
    const house = helperHouse();
    const socket = listeningSocket(house.socket);
    onTestFinished(socket.close);
    const args = [
      MAIN,
      "helper",
      "--state",
      house.stateFolder,
      "--policy",
      house.policyPath,
      "--idle",
      "0.3",
    ];
    for (let life = 0; life < 2; life++) {
      const call = ask(house.socket, { id: `life-${life}` });
      // As systemd does: the socket is descriptor 3, and the pid is the process' own.
      const child = running(
        "sh",
        ["-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", process.execPath, ...args],
        socket.fd,
      );
      if (IS_ROOT) {
        expect(await call).toBe("ok");
        expect(await child.ended).toEqual({ code: 0, signal: null });
        expect(existsSync(house.socket)).toBe(true);
      } else {
        expect((await child.ended).code).toBe(4);
        break;
      }
    }
  });

  it.skipIf(!IS_ROOT)("by hand as root without a socket: says who starts it", async () => {
    const child = startChild(["helper"]);
    expect(await child.ended).toEqual({ code: 1, signal: null });
    expect(child.stderr()).toBe(
      "foundry-agent: systemd starts the helper and hands it its socket; started by hand it has none. Next: systemctl enable --now foundry-agent-helper.socket\n",
    );
  });

  it("as anybody else: refused", async () => {
    const { stdout } = await runUnprivileged({
      before: "const { helperCommand } = await import(process.argv[1]);",
      script: `await helperCommand.run({ values: {}, positionals: [] }, { env: {} }).catch(({ code, message }) => console.log(code, message));`,
      args: [source("cli/daemon/helper.ts")],
    });
    expect(stdout).toBe("refused the helper is for what only root may do, so it runs as root\n");
  });

  it.each(["0", "-1", "soon", "1e9"])("--idle %s is wrong use", async (idle) => {
    const child = byHand(helperHouse(), `--idle=${idle}`);
    expect((await child.ended).code).toBe(2);
    expect(child.stderr()).toContain('"--idle" needs a number of seconds above 0');
  });
});

it("a handed-over socket is taken only when it is ours and the only one", () => {
  expect(activatedSocket({ LISTEN_PID: "7", LISTEN_FDS: "1" }, 7)).toBe(3);
  expect(activatedSocket({ LISTEN_PID: "8", LISTEN_FDS: "1" }, 7)).toBeNull();
  expect(activatedSocket({ LISTEN_FDS: "1" }, 7)).toBeNull();
  expect(activatedSocket({}, 7)).toBeNull();
  expect(() => activatedSocket({ LISTEN_PID: "7", LISTEN_FDS: "2" }, 7)).toThrow("2 sockets");
});
