import { hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { diagnosticsCommandWith } from "../../../src/cli/daemon/diagnostics.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { daemon } from "../../support/agent/daemon.ts";
import { overheard, pretendSections } from "../../support/agent/pretend.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { NOW } from "../../support/now.ts";
import { runCli, terminal } from "../../support/text/io.ts";

async function rig() {
  const { view, controlSocket, statusSocket } = await daemon({ tree: "vm" });
  const written: Uint8Array[] = [];
  const made: Buffer[] = [];
  const calls = overheard(view);
  const make = view.diagnostics;
  view.diagnostics = async (...asked) => {
    const bundle = await make(...asked);
    made.push(readFileSync(bundle.path));
    return bundle;
  };
  const command = diagnosticsCommandWith(async (bytes) => void written.push(bytes));
  return {
    view,
    controlSocket,
    statusSocket,
    written,
    calls,
    /** The bytes of the last bundle. */
    bundle: () => made.at(-1) as Buffer,
    run: (argv: string[], io = {}, socket = controlSocket) =>
      runCli([command], ["diagnostics", ...argv, "--socket", socket], { now: () => NOW, ...io }),
  };
}

test("writes the bundle for its owner only, and says path, size, hash and what is in it", async () => {
  const { run, calls, bundle } = await rig();
  const file = join(temporaryFolder(), "b.tar.gz");
  const { code, stdout, stderr } = await run(["--output", file]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(readFileSync(file).equals(bundle())).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(stdout).toContain(`${file}\n`);
  expect(stdout).toContain(` KiB, SHA-256 ${hash("sha256", bundle(), "hex")}\n`);
  expect(stdout).toMatch(/report\.json .*\n.*conditions\.json/);
  expect(stdout).toMatch(/No key, token, password.*Serial numbers/);
  expect(calls).toEqual(["diagnostics []"]);
});

test("--json names the same", async () => {
  const { run, bundle } = await rig();
  const file = join(temporaryFolder(), "b.tar.gz");
  const { stdout } = await run(["--output", file, "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    path: file,
    bytes: bundle().length,
    sha256: hash("sha256", bundle(), "hex"),
  });
});

test("overwrites nothing, and then the daemon is not even asked", async () => {
  const { run, calls } = await rig();
  const file = join(temporaryFolder(), "mine");
  writeFileSync(file, "mine");
  const { code, stderr } = await run(["--output", file]);
  expect(code).toBe(1);
  expect(stderr).toContain(
    "is there already and is not overwritten. Next: foundry-agent diagnostics --output diagnostics-2.tar.gz",
  );
  expect(readFileSync(file, "utf8")).toBe("mine");
  expect(calls).toEqual([]);
  const nowhere = await run(["--output", "/nonexistent/b"]);
  expect(nowhere.stderr).toContain("/nonexistent/b can't be written: there is no such file or folder. Next:");
  expect(calls).toEqual([]);
});

test("without --output: a name of host and time, in the working folder", async () => {
  const { run, view } = await rig();
  const folder = temporaryFolder();
  const cwd = vi.spyOn(process, "cwd").mockReturnValue(folder);
  onTestFinished(() => cwd.mockRestore());
  const { hostname } = (view.report().sections.system?.data ?? {}) as { hostname: string };
  const named = `foundry-agent-diagnostics-${hostname.replace(/[^A-Za-z0-9-]+/g, "-")}-20261121T120000Z.tar.gz`;
  expect((await run([])).code).toBe(0);
  expect(readdirSync(folder)).toEqual([named]);
  expect((await run([])).code).toBe(1);
});

test("a host name that is not reported is in no file name", async () => {
  const { run, view } = await rig();
  const folder = temporaryFolder();
  const cwd = vi.spyOn(process, "cwd").mockReturnValue(folder);
  onTestFinished(() => cwd.mockRestore());
  const data = view.report().sections.system?.data as object;
  pretendSections(view, { system: { data: { ...data, hostname: undefined } } });
  await run([]);
  expect(readdirSync(folder)).toEqual(["foundry-agent-diagnostics-node-20261121T120000Z.tar.gz"]);
});

test("- is stdout, byte for byte, but no terminal", async () => {
  const { run, written, bundle } = await rig();
  expect(await run(["-o", "-"])).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(written.map((bytes) => bundle().equals(bytes))).toEqual([true]);
  expect((await run(["-o", "-"], terminal(80))).code).toBe(2);
  expect((await run(["-o", "-", "--json"])).code).toBe(2);
  expect((await run(["extra"])).code).toBe(2);
});

test("no daemon: exit 3; status.sock: exit 4; neither leaves a file", async () => {
  const { run, statusSocket } = await rig();
  const file = join(temporaryFolder(), "b");
  expect((await run(["-o", file], {}, "/nonexistent/control.sock")).code).toBe(3);
  expect((await run(["-o", file], {}, statusSocket)).code).toBe(4);
  expect(existsSync(file)).toBe(false);
});

test("what the daemon can't make is told, and no empty file is left", async () => {
  const { run, view } = await rig();
  view.diagnostics = async () => {
    throw new AgentError("diagnostics_no_space", "There is no space left.", "df -h /var/lib/foundry-agent");
  };
  const file = join(temporaryFolder(), "b");
  const { code, stderr } = await run(["-o", file]);
  expect([code, stderr]).toEqual([
    1,
    "foundry-agent: There is no space left. Next: df -h /var/lib/foundry-agent\n",
  ]);
  expect(existsSync(file)).toBe(false);
});

test("GET /v1/diagnostics: on the control socket only, with type, length and a name", async () => {
  const { statusSocket, controlSocket, calls, bundle } = await rig();
  const get = (socketPath: string) =>
    new Promise<{ status: number | undefined; headers: object; body: Buffer }>((resolve, reject) => {
      request({ socketPath, path: "/v1/diagnostics", agent: false }, async (answer) => {
        const chunks: Buffer[] = [];
        for await (const chunk of answer) chunks.push(chunk as Buffer);
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) });
      })
        .on("error", reject)
        .end();
    });
  expect((await get(statusSocket)).status).toBe(403);
  expect(calls).toEqual([]);
  const { status, headers, body } = await get(controlSocket);
  expect([status, body.equals(bundle())]).toEqual([200, true]);
  expect(headers).toMatchObject({
    "content-type": "application/gzip",
    "content-length": String(bundle().length),
    "cache-control": "no-store",
    "content-disposition": expect.stringMatching(
      /^attachment; filename="foundry-agent-diagnostics-[\w-]+\.tar\.gz"$/,
    ),
  });
});
