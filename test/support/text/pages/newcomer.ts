/**
 * Somebody with an empty home who types what a page says: a shell of an ordinary user (nobody, when root runs the
 * tests), in which `foundry-agent` is this checkout's bundle.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { SHIP_FLAGS } from "../../../../scripts/flags.mjs";
import { BUNDLE } from "../../../../scripts/paths.mjs";
import { NOBODY } from "../../agent/unprivileged.ts";
import { eventually } from "../../eventually.ts";
import { temporaryFolder } from "../../machine/tree.ts";
import { type Block, commandsOf, filled, patternOf } from "./page.ts";

export interface Newcomer {
  readonly home: string;
  /** Do what a block says. @throws Error where a command fails or prints something else than the page shows */
  follow(block: Block, next?: Block): Promise<void>;
  /** Everything printed so far, by all terminals. */
  printed(): string;
  /** Write a file of this user's, below the home. */
  write(path: string, text: string): void;
  /** What a page expects to be set, such as a key. */
  set(name: string, value: string): void;
  /** Start what the page takes for running. @returns what it has printed */
  background(command: string): () => string;
  /** Type one line. @throws Error where it fails */
  type(command: string): Promise<string>;
  /** End what runs in the other terminals, as Ctrl-C does. */
  interrupt(): Promise<void>;
}

export interface NewcomerOptions {
  /** Paths and addresses of an installed host that are others for an ordinary user, in order. */
  readonly instead?: (home: string) => Readonly<Record<string, string>>;
  /** Typed where a key is asked for. */
  readonly key?: () => string;
  /** Typed in another terminal while a line follows what happens, so that something does. */
  readonly happens?: string;
  /** Where /var/lib/ceph is there and closed, as a package of Ceph leaves it; only root can make it so. */
  readonly closedCeph?: boolean;
}

/** In a mount namespace of its own, so that this host's /var/lib stays as it is. */
const CLOSED_CEPH = [
  "unshare",
  "--mount",
  "sh",
  "-ec",
  `mount -t tmpfs -o mode=755 none /var/lib; mkdir -m 700 /var/lib/ceph
  exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups "$@"`,
  "sh",
] as const;

export function newcomer({
  instead = () => ({}),
  key,
  happens,
  closedCeph = false,
}: NewcomerOptions = {}): Newcomer {
  const place = temporaryFolder();
  const [bin, home] = [join(place, "bin"), join(place, "home")];
  for (const folder of [bin, home]) mkdirSync(folder);
  chmodSync(place, 0o755);
  copyFileSync(BUNDLE, join(bin, "foundry-agent.cjs"));
  // The checkout may lie where nobody else may enter.
  const node = join(bin, "node");
  try {
    linkSync(process.execPath, node);
  } catch {
    copyFileSync(process.execPath, node, constants.COPYFILE_FICLONE);
  }
  const script = `#!/bin/sh\nexec ${[node, ...SHIP_FLAGS, join(bin, "foundry-agent.cjs")].join(" ")} "$@"\n`;
  writeFileSync(join(bin, "foundry-agent"), script, { mode: 0o755 });
  // As scripts/agent.mjs does it; scripts/test/newcomer.sh has npm's own.
  const npm = `#!/bin/sh\nshift 4\nFOUNDRY_AGENT_CALLED="npm run -s agent --" exec foundry-agent "$@"\n`;
  writeFileSync(join(bin, "npm"), npm, { mode: 0o755 });
  const asNobody = process.getuid?.() === 0;
  if (asNobody) chownSync(home, NOBODY, NOBODY);
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: home, TMPDIR: home, LC_ALL: "C.UTF-8", TERM: "dumb" };
  let all = "";
  const running: ChildProcess[] = [];

  const here = (text: string): string =>
    Object.entries(instead(home)).reduce((words, [from, to]) => words.replaceAll(from, to), text);

  function start(command: string): { child: ChildProcess; said: () => string; over: Promise<number | null> } {
    let said = "";
    const shell = ["bash", "-c", command] as const;
    const [program, ...args] = closedCeph ? ([...CLOSED_CEPH, ...shell] as const) : shell;
    const child = spawn(program, args, {
      cwd: home,
      env,
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
      ...(asNobody && !closedCeph ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => {
        said += String(chunk);
        all += String(chunk);
      });
    child.stdin?.on("error", () => undefined);
    const over = once(child, "close").then(([code]) => code as number | null);
    onTestFinished(async () => {
      if (child.exitCode === null && child.signalCode === null)
        process.kill(-(child.pid as number), "SIGKILL");
      await over;
    });
    return { child, said: () => said, over };
  }

  /** Variables that a page sets in one line and uses in the next ones. */
  let variables = "";

  async function type(command: string, isTyped: boolean): Promise<string> {
    const line = filled(here(command), all);
    if (/^[A-Z]+=\S*$/.test(line)) {
      variables += `${line}\n`;
      return "";
    }
    const shown = isTyped ? `script -qec ${JSON.stringify(line.replace(/\s+#.*$/, ""))} /dev/null` : line;
    const { child, said, over } = start(`${variables}${shown}`);
    if (isTyped) {
      await eventually(async () => /key.*: ?$/i.test(said()) || child.exitCode !== null);
      child.stdin?.write(`${key?.()}\r`);
    } else if (line.includes("follow=1")) {
      // It goes on until Ctrl-C.
      await eventually(async () => {
        if (happens !== undefined) await type(happens, false);
        return said() !== "" || child.exitCode !== null;
      });
      process.kill(-(child.pid as number), "SIGINT");
      await over;
      return said();
    } else child.stdin?.end();
    const code = await over;
    if (code !== 0) throw new Error(`${line}: ended with ${code}:\n${said()}`);
    return said();
  }

  async function lines(block: Block, next?: Block): Promise<void> {
    let said = "";
    const refused = block.role === "follow=refused";
    for (const command of commandsOf(block.text)) {
      let answer = "";
      try {
        answer = await type(command, block.role === "follow=typed");
        said += answer;
      } catch (error) {
        throw new Error(`docs/${block.page}:${block.line}: ${(error as Error).message}`);
      }
      // One that was over sooner than it could be cancelled is no mistake of the page.
      const error = /\{"error":\{"code":"(?!too_late)/.test(answer);
      if (/^curl/.test(command) && error !== refused)
        throw new Error(`docs/${block.page}:${block.line}: ${command}: ${said}`);
    }
    if (next?.role === "shows") expect(said).toMatch(patternOf(here(next.text)));
  }

  function background(command: string): () => string {
    const { child, said } = start(`exec ${filled(here(command), all)}`);
    running.push(child);
    return () => {
      if (child.exitCode !== null) throw new Error(`${command} ended: ${said()}`);
      return said();
    };
  }

  function write(path: string, text: string, adds = false): void {
    const whole = path.startsWith(home) ? path : join(home, path);
    mkdirSync(dirname(whole), { recursive: true, mode: 0o755 });
    (adds ? appendFileSync : writeFileSync)(whole, text, { mode: 0o600 });
    for (let one = whole; asNobody && one !== home; one = dirname(one)) chownSync(one, NOBODY, NOBODY);
  }

  return {
    home,
    printed: () => all,
    write,
    set(name, value) {
      variables += `${name}=${value}\n`;
    },
    background,
    type: (command) => type(command, false),
    async follow(block, next) {
      const { role, text } = block;
      if (role === "shows" || role === "example") return;
      if (/^follow(?:=typed|=refused)?$/.test(role)) return await lines(block, next);
      if (role === "follow=background") {
        const [command = ""] = commandsOf(text);
        const said = background(command);
        const pattern = next?.role === "shows" ? patternOf(here(next.text)) : /./;
        await eventually(() => pattern.test(said()));
        return;
      }
      if (role === "console") {
        for (const part of text.split(/^(?=\$ )/m)) {
          const [command = "", ...shown] = part.trimEnd().split("\n");
          const said = await type(command.slice(2), false);
          if (shown.length > 0) expect(said).toMatch(patternOf(here(shown.join("\n"))));
        }
        return;
      }
      const [, file = "", more] = /^follow=(.*?)(\+?)$/.exec(role) ?? [];
      write(here(file), `${here(text)}\n`, more === "+");
    },
    async interrupt() {
      for (const child of running.splice(0)) {
        const over = once(child, "close");
        child.kill("SIGINT");
        await over;
      }
    },
  };
}
