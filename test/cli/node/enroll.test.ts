import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { daemon, piped, typed } from "../../support/agent/daemon.ts";
import { overheard } from "../../support/agent/pretend.ts";
import { ask } from "../../support/agent/unix-http.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";

describe("enroll", () => {
  const KEY = "nf_en_0123456789abcdef";

  test("from a pipe, a file or typed unseen; the key is shown nowhere", async () => {
    const { run, view, server } = await daemon({ registered: "none" });
    const key = server.keys.enrol;
    const calls = overheard(view);
    const file = join(temporaryFolder(), "key");
    writeFileSync(file, `${key}\n`, { mode: 0o600 });
    const terminal = typed(`${key}x`, "\u007f\r");
    const runs = [
      await run(["enroll"], { input: piped(`${key}\n`) }),
      await run(["enroll", "--key-file", "-"], { input: piped(key) }),
      await run(["enroll", "--key-file", file, "--name", "rack4-{hostname}"]),
      await run(["enroll", "nodefoundry"], { input: terminal }),
    ];
    for (const { code, stdout, stderr } of runs) {
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(
          /^Registered with nodefoundry as node_\w+, named [\w.-]+, mode \w+[^\n]*\.\nThe key was not kept\. See how it goes: foundry-agent status --socket \S+\n$/,
        ),
      ]);
      expect(stdout + stderr).not.toContain(key);
    }
    expect(runs[3]?.stderr).toBe("Account, enrolment or test key (not shown): \n");
    expect(terminal.raw.length > 0 && terminal.raw.every((raw) => raw)).toBe(true);
    expect(calls).toEqual(
      ["{}", "{}", '{"name":"rack4-{hostname}"}', "{}"].map(
        (more) => `enroll ["nodefoundry","${key}",${more}]`,
      ),
    );
    expect(server.inspect().nodes).toHaveLength(1);
  });

  test("warns of keys that may do more, or less, than enrol", async () => {
    const { run, server } = await daemon({ registered: "none" });
    expect((await run(["enroll"], { input: piped("nf_sk_live_abc") })).stderr).toContain(
      "an enrolment key (nf_en_…) is enough",
    );
    expect((await run(["enroll"], { input: piped("nf_sk_ro_abc") })).stderr).toContain("read-only key");
    expect((await run(["enroll"], { input: piped(server.keys.enrol) })).stderr).toBe("");
  });

  test("refuses a key on the command line, no key, two words, a file others can read", async () => {
    const { run, view } = await daemon({ registered: "none" });
    const calls = overheard(view);
    const onLine = await run(["enroll", KEY]);
    expect([onLine.code, onLine.stderr.includes(KEY)]).toEqual([2, false]);
    expect((await run(["enroll"], { input: piped("") })).code).toBe(2);
    expect((await run(["enroll"], { input: piped("two words") })).code).toBe(2);
    expect((await run(["enroll"], { input: piped("x".repeat(9000)) })).code).toBe(2);
    const file = join(temporaryFolder(), "key");
    writeFileSync(file, KEY);
    chmodSync(file, 0o644);
    expect((await run(["enroll", "--key-file", file])).stderr).toContain("chmod 0");
    expect((await run(["enroll"], { input: typed("abc\u0003") })).stderr).toContain("interrupted");
    expect(calls).toEqual([]);
  });
});

describe("enroll refuses before it asks for a key", () => {
  test("a control API that is not there", async () => {
    const { run, view } = await daemon({ registered: "none" });
    const calls = overheard(view);
    const terminal = typed("nf_en_0123456789abcdef\r");
    for (const input of [piped(""), terminal]) {
      const { code, stderr } = await run(["enroll", "nosuch"], { input });
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^foundry-agent: there is no control API "nosuch"\. Next: /),
      ]);
    }
    expect(terminal.raw).toEqual([]);
    expect(calls).toEqual([]);
  });

  test.each([
    ["{foo}", "{foo}"],
    ["rack{4}-{hostname}", "{4}"],
    ["{hostname", "{hostname"],
    ["{Serial}", "{Serial}"],
    ["hostname}", "}"],
  ])("the name %s, in which nothing stands for %s", async (name, wrong) => {
    const { run, view } = await daemon({ registered: "none" });
    const calls = overheard(view);
    const problem = `nothing stands for ${wrong} in a name, only {hostname} and {serial} do`;
    const { code, stderr } = await run(["enroll", "--name", name], { input: piped("") });
    expect([code, stderr.replace(/(?<=--socket )\S+/, "SOCKET")]).toEqual([
      2,
      `foundry-agent: ${problem}. Next: foundry-agent enroll --name 'rack4-{hostname}' --socket SOCKET\n`,
    ]);
    expect(calls).toEqual([]);
  });

  test("and the daemon refuses such a name whoever asks", async () => {
    const { view, controlSocket } = await daemon({ registered: "none" });
    const calls = overheard(view);
    const body = JSON.stringify({ key: "nf_en_0123456789abcdef", name: "{foo}" });
    const { status, json } = await ask(controlSocket, "/v1/enroll", { method: "POST", body });
    expect([status, json.error.message]).toEqual([
      400,
      "nothing stands for {foo} in a name, only {hostname} and {serial} do",
    ]);
    expect(calls).toEqual([]);
  });
});

describe("reset and leave", () => {
  test("ask on a terminal, need --yes elsewhere", async () => {
    const { run, view } = await daemon({ registered: "test" });
    const calls = overheard(view);
    for (const line of [
      ["reset", "--identity"],
      ["leave", "nodefoundry"],
    ]) {
      const yes = await run(line, { input: typed("y\n") });
      expect([line, yes.code, yes.stderr]).toEqual([line, 0, expect.stringContaining("Go on? [y/N] ")]);
      expect(await run(line, { input: typed("\n") })).toMatchObject({
        code: 4,
        stdout: "",
        stderr: expect.stringContaining("nothing was changed"),
      });
      expect(await run(line, { input: typed("yesterday\n") })).toMatchObject({ code: 4 });
      expect(await run(line, { input: piped("y\n") })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`foundry-agent ${line.join(" ")} --yes`),
      });
      expect(await run([...line, "--yes"])).toMatchObject({ code: 0 });
    }
    expect((await run(["leave", "-y"])).stdout).toContain("Left all control APIs.");
    const leave = 'leave ["nodefoundry"]';
    expect(calls).toEqual(["resetIdentity []", "resetIdentity []", leave, leave, "leave [null]"]);
  });
});
