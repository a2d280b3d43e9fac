/**
 * The executables as they are shipped: x86-64 natively, arm64 under qemu-user. On an arm64 machine the other way
 * round is not tried. What lacks a part is skipped and says which package brings it.
 */
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { complaints } from "../../scripts/build/elf.mjs";
import { SHIP_FLAGS } from "../../scripts/flags.mjs";
import { arm64Root } from "../../scripts/lab/arm64-root.mjs";
import { BUNDLE, NODE, ROOT } from "../../scripts/paths.mjs";
import { temporaryFolder } from "../support/machine/tree.ts";

const run = promisify(execFile);

interface Target {
  readonly arch: "x64" | "arm64";
  readonly executable: string;
  /** What runs it here: nothing, or the emulator. */
  readonly emulator: readonly string[];
  readonly env: () => Record<string, string>;
  /** Why it can't be run here, with what to do; null when it can. */
  readonly lacking: string | null;
}

function installed(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

function lacking(arch: "x64" | "arm64", executable: string): string | null {
  if (!existsSync(executable))
    return "there is no executable: apt-get install binutils binutils-aarch64-linux-gnu";
  if (arch === process.arch) return null;
  if (arch === "x64") return "x86-64 is not emulated here";
  if (!installed("qemu-aarch64")) return "arm64 can't be run: apt-get install qemu-user";
  return installed("apt-get") ? null : "arm64 libraries come from Debian's packages, and there is no apt-get";
}

function target(arch: "x64" | "arm64"): Target {
  const executable = `${ROOT}/dist/foundry-agent-linux-${arch}`;
  const native = arch === process.arch;
  return {
    arch,
    executable,
    emulator: native ? [] : ["qemu-aarch64"],
    env: () => ({
      PATH: process.env.PATH ?? "",
      HOME: process.env.HOME ?? "/",
      ...(native ? {} : { QEMU_LD_PREFIX: arm64Root() }),
    }),
    lacking: lacking(arch, executable),
  };
}

/** A sandbox on loopback, run from the bundle: the other end is always this machine's architecture. */
async function sandbox(): Promise<{ url: string; key: string }> {
  const child = spawn(NODE, [...SHIP_FLAGS, BUNDLE, "sandbox", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  const [line] = await once(createInterface(child.stdout), "line");
  const { url, keys } = JSON.parse(String(line)) as { url: string; keys: { enrol: string } };
  return { url, key: keys.enrol };
}

function configure(lines: readonly string[]): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "run"));
  const file = join(folder, "config.toml");
  const agent = ["[agent]", `state_dir = "${folder}/state"`, `run_dir = "${folder}/run"`];
  writeFileSync(file, `${[...agent, ...lines].join("\n")}\n`, { mode: 0o600 });
  return file;
}

describe.each([target("x64"), target("arm64")])("the executable for $arch", (tried) => {
  const { arch, executable, emulator } = tried;
  let env: Record<string, string> = {};
  beforeAll(() => {
    if (tried.lacking === null) env = tried.env();
  });

  async function agent(args: readonly string[], more: Record<string, string> = {}): Promise<string> {
    const [program = executable, ...before] = [...emulator, executable];
    const { stdout } = await run(program, [...before, ...args], { env: { ...env, ...more } });
    return stdout;
  }

  function real(name: string, test: () => void | Promise<void>): void {
    it(name, async (context) => {
      if (tried.lacking !== null) return context.skip(tried.lacking);
      await test();
    });
  }

  real("knows what it is", async () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}/package-lock.json`, "utf8")).packages[
      `node_modules/node-linux-${arch}`
    ] as { version: string };
    const found = JSON.parse(await agent(["version", "--json"]));
    expect(found).toMatchObject({ arch, platform: "linux", node: version });
    expect(found.version).toBe(JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8")).version);
    expect(found.commit).toMatch(/^[0-9a-f]{40}(-dirty)?$|^unknown$/);
  });

  real("says what is right and wrong with a configuration", async () => {
    expect(await agent(["config", "check", "--config", configure([])])).not.toBe("");
    const wrong = configure(["[netwrok]", 'profile = "metered"']);
    const failure = await agent(["config", "check", "--config", wrong]).then(
      () => null,
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    expect(failure?.code).toBe(1);
    expect(`${failure?.stdout}${failure?.stderr}`).toContain("netwrok");
  });

  real("registers, collects on this machine and has its report accepted", async () => {
    const { url, key } = await sandbox();
    const keyFile = join(temporaryFolder(), "enrol.key");
    writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
    const config = configure(["[nodefoundry]", `url = "${url}"`, `enrol_key_file = "${keyFile}"`]);
    expect(await agent(["run", "--once", "--config", config])).toMatch(/^nodefoundry: /m);
  });

  real("runs the whole first look", async () => {
    expect(await agent(["start", "--once"])).toContain("The sandbox accepted the report");
  });

  real("lets nobody put code into it through the environment", async () => {
    const folder = temporaryFolder();
    const injected = join(folder, "injected.cjs");
    const trace = join(folder, "trace");
    writeFileSync(injected, `require("node:fs").writeFileSync(${JSON.stringify(trace)}, "was here");`);
    // It would work, were it a plain Node.
    execFileSync(NODE, ["-e", "0"], { env: { ...process.env, NODE_OPTIONS: `--require ${injected}` } });
    expect(existsSync(trace)).toBe(true);
    writeFileSync(trace, "");
    await agent(["version"], { NODE_OPTIONS: `--require ${injected}` });
    await agent(["version", `--node-options=--require ${injected}`]).catch(() => undefined);
    expect(readFileSync(trace, "utf8")).toBe("");
  });

  real("takes no compiled code from a folder that the environment names", async () => {
    const folder = temporaryFolder();
    const entries = (): string[] => readdirSync(folder, { recursive: true, encoding: "utf8" });
    const env = { NODE_COMPILE_CACHE: folder };
    await agent(["version"], env);
    expect(entries().filter((name) => name.includes("/"))).toEqual([]);
    // It would, were it a plain Node with a script.
    const script = join(temporaryFolder(), "script.cjs");
    writeFileSync(script, "");
    execFileSync(NODE, [script], { env: { ...process.env, ...env } });
    expect(entries().filter((name) => name.includes("/"))).toHaveLength(1);
  });

  real("loads no library that an OpenSSL configuration of the environment names", async () => {
    const OPENSSL_CONF = join(temporaryFolder(), "openssl.cnf");
    writeFileSync(OPENSSL_CONF, "[not a configuration");
    // Were it read, it would end this one as it ends a plain Node.
    const env = { ...process.env, OPENSSL_CONF };
    expect(() => execFileSync(NODE, ["-e", "0"], { env, stdio: "pipe" })).toThrow(
      "OpenSSL configuration error",
    );
    expect(await agent(["version"], { OPENSSL_CONF })).toContain("foundry-agent");
  });

  real("does not become a Node when it is called by that name", async () => {
    const folder = temporaryFolder();
    const renamed = join(folder, "node");
    copyFileSync(executable, renamed);
    const [program = renamed, ...before] = [...emulator, renamed];
    const { stdout } = await run(program, [...before, "version", "--json"], { env });
    expect(JSON.parse(stdout)).toMatchObject({ arch });
  });

  real("is aligned for every page size its kernels have, as readelf sees it", () => {
    expect(complaints(executable, arch)).toEqual([]);
    const page = arch === "arm64" ? 0x10000 : 0x1000;
    const headers = execFileSync("readelf", ["-lW", executable], { encoding: "utf8" });
    const loads = headers.split("\n").filter((line) => line.trim().startsWith("LOAD"));
    expect(loads.length).toBeGreaterThan(3);
    let end = 0;
    for (const load of loads) {
      const [, offset, address, , , memory] = load.trim().split(/\s+/).map(Number);
      expect(load).toMatch(new RegExp(`0x${page.toString(16)}$`));
      expect(((address ?? 0) - (offset ?? 0)) % page).toBe(0);
      // No page holds the end of one segment and the beginning of the next.
      expect(Math.floor((address ?? 0) / page)).toBeGreaterThanOrEqual(end);
      end = Math.ceil(((address ?? 0) + (memory ?? 0)) / page);
    }
  });

  real("has the checksum that is published with it", () => {
    const checked = execFileSync("sha256sum", ["--check", "--ignore-missing", "SHA256SUMS"], {
      cwd: `${ROOT}/dist`,
      encoding: "utf8",
    });
    expect(checked).toContain(`foundry-agent-linux-${arch}: OK`);
  });
});
