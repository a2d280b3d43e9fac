/**
 * A Debian booted with systemd-nspawn over its cached folder: a real systemd as PID 1, in which packages
 * are installed. It shares this host's network (it has nothing to reach there) and no devices.
 */
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nspawnLacking, nspawnRoot } from "../../scripts/lab/nspawn-root.mjs";
import { makePackage } from "../../scripts/package/package.mjs";
import { ROOT } from "../../scripts/paths.mjs";

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  /** Both outputs, for messages. */
  readonly said: string;
}

export interface Booted {
  /** Its root folder as this host sees it, while it runs: /proc/PID/root. */
  readonly root: string;
  /** Run a program in it as root. Never throws for an exit code. */
  run(...argv: readonly string[]): Promise<Ran>;
  /** Like `run`, and throws with what was said unless it ended with 0. @returns its standard output */
  ok(...argv: readonly string[]): Promise<string>;
  /** Copy a file or folder of this host into its /var/tmp. @returns the path in it */
  bring(path: string): Promise<string>;
  /** A property of a unit, as `systemctl show` prints it. */
  unit(unit: string, property: string): Promise<string>;
  /** What its journal has of a unit since it was booted, one message a line. */
  journal(unit: string): Promise<string>;
  /**
   * Wait until it went down to be booted again, boot it, and wait until it is up. nspawn does that itself but for
   * `--keep-unit`, with which it leaves it to whoever started it, by ending with 133.
   */
  again(): Promise<void>;
  /** Whether it went down, by itself or because somebody asked it to. */
  isDown(): boolean;
  stop(): Promise<void>;
}

/** Why the tests that need it can't run here; null when they can. */
export function bootLacking(): string | null {
  if (process.arch !== "x64") return "the lab boots systems for x86-64 only";
  if (!existsSync(join(ROOT, "dist/foundry-agent-linux-x64")))
    return "there is no executable: apt-get install binutils binutils-aarch64-linux-gnu";
  return nspawnLacking();
}

export interface BootOptions {
  /** Change the copy before it is booted. */
  readonly before?: (folder: string) => void;
  /** Folders of this host by where they are in it: a disk of its own, which outlives its boots. */
  readonly binds?: Readonly<Record<string, string>>;
}

/**
 * Boot a copy of a suite; resolves when systemd is done starting.
 * @param suite "bookworm" (systemd 252) or "trixie" (257)
 */
export async function boot(suite: string, options: BootOptions = {}): Promise<Booted> {
  const cached = await nspawnRoot(suite);
  mkdirSync(join(ROOT, "build/nspawn"), { recursive: true });
  const own = mkdtempSync(join(ROOT, "build/nspawn", `${suite}-`));
  const folder = join(own, "root");
  const unmount = layOver(cached, own, folder);
  options.before?.(folder);
  const argv = [
    ...["-D", folder, "-M", `lab-${process.pid}-${suite}`, "--register=no", "--keep-unit", "-b"],
    // What a host's systemd has and nspawn takes away by default.
    "--capability=CAP_NET_ADMIN,CAP_SYS_RAWIO",
    ...["--console=pipe", "--quiet"],
    ...Object.entries(options.binds ?? {}).map(([inside, outside]) => `--bind=${outside}:${inside}`),
  ];
  let console = "";
  let pid = 0;
  let child = start();
  let ended = once(child, "exit");

  function start() {
    const started = spawn("systemd-nspawn", argv, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [started.stdout, started.stderr])
      stream.on("data", (chunk: Buffer) => {
        console = (console + String(chunk)).slice(-20_000);
      });
    return started;
  }

  async function up(): Promise<void> {
    await until("systemd is up", async () => {
      if (child.exitCode !== null) throw new Error(`systemd-nspawn ended at once:\n${console}`);
      // Asked anew each time: its first child is not PID 1 yet, and makes that.
      const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();
      if (!/^\d+$/.test(children)) return null;
      pid = Number(children);
      const { stdout } = await run("systemctl", "is-system-running");
      return /^(?:running|degraded)/.test(stdout) ? true : null;
    });
  }

  function run(...argv: readonly string[]): Promise<Ran> {
    const settings = {
      maxBuffer: 16 * 1024 * 1024,
      timeout: 120_000,
      killSignal: "SIGKILL" as const,
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        LC_ALL: "C.UTF-8",
        SYSTEMD_COLORS: "0",
        SYSTEMD_PAGER: "",
      },
    };
    return new Promise((resolve) => {
      const command = ["-t", String(pid), "-a", "--", ...argv];
      const child = execFile("nsenter", command, settings, (error, stdout, stderr) => {
        clearInterval(going);
        const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ status, stdout, said: `${stdout}${stderr}` });
      });
      // A system that goes down stops everybody before it ends them, and nsenter stops with its child. A PID 1 then
      // waits for ever for somebody to take note of that child's end.
      const going = setInterval(() => child.kill("SIGCONT"), 1_000);
    });
  }

  async function ok(...argv: readonly string[]): Promise<string> {
    const { status, stdout, said } = await run(...argv);
    if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status}:\n${said}`);
    return stdout;
  }

  const booted: Booted = {
    get root() {
      return `/proc/${pid}/root`;
    },
    run,
    ok,
    async bring(path) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      execFileSync("cp", ["-R", path, `/proc/${pid}/root/var/tmp/${name}`]);
      return `/var/tmp/${name}`;
    },
    unit: async (unit, property) => (await ok("systemctl", "show", "--value", "-p", property, unit)).trim(),
    journal: async (unit) => await ok("journalctl", "-q", "-b", "-o", "cat", "--no-pager", "-u", unit),
    async again() {
      const [status] = await Promise.race([ended, sleep(60_000, ["none"], { ref: false })]);
      if (status !== 133) throw new Error(`it did not go down for a reboot (${status}):\n${console}`);
      child = start();
      ended = once(child, "exit");
      await up();
    },
    isDown: () => child.exitCode !== null || child.signalCode !== null,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        if (pid !== 0) await run("systemctl", "poweroff", "--no-block");
        // It goes down in a second or two; what does not is killed, with all that is in it.
        await Promise.race([ended, sleep(20_000, undefined, { ref: false })]);
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
        await ended;
      }
      unmount();
      rmSync(own, { recursive: true, force: true });
    },
  };

  try {
    await up();
    return booted;
  } catch (error) {
    await booted.stop();
    throw error;
  }
}

/** A writable view of a folder that stays as it is. @returns what takes it away */
function layOver(lower: string, own: string, folder: string): () => void {
  for (const name of ["upper", "work", "root"]) mkdirSync(join(own, name));
  const layers = `lowerdir=${lower},upperdir=${own}/upper,workdir=${own}/work`;
  execFileSync("mount", ["-t", "overlay", "-o", layers, "overlay", folder]);
  return () => execFileSync("umount", [folder]);
}

/** Ask until there is an answer other than null. @throws Error naming `what` after `withinMs` (60 s) */
export async function until<T>(what: string, ask: () => Promise<T | null>, withinMs = 60_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > end) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await sleep(100);
  }
}

/** The package as it stands, little compressed; made once a file of tests, of which two may run beside each other. */
export function labDeb(version?: string): string {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const out = mkdtempSync(join(ROOT, "build/packages-lab-"));
  process.on("exit", () => rmSync(out, { recursive: true, force: true }));
  return makePackage({ form: "deb", arch: "x64", out, quick: true, ...(version ? { version } : {}) });
}
