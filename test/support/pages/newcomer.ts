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
import { SHIP_FLAGS } from "../../../scripts/flags.mjs";
import { BUNDLE } from "../../../scripts/paths.mjs";
import { NOBODY } from "../agent/unprivileged.ts";
import { eventually } from "../eventually.ts";
import { temporaryFolder } from "../machine/tree.ts";
import { type Block, commandsOf, filled, patternOf } from "./page.ts";

export interface Newcomer {
  readonly home: string;
  /** Do what a block says. @throws Error where a command fails or prints something else than the page shows */
  follow(block: Block, next?: Block): Promise<void>;
  /** Everything printed so far, by all terminals. */
  printed(): string;
  /** End what runs in the other terminals, as Ctrl-C does. */
  interrupt(): Promise<void>;
}

export interface NewcomerOptions {
  /** Paths and addresses of an installed host that are others for an ordinary user, in order. */
  readonly instead?: Readonly<Record<string, string>>;
  /** Typed where a key is asked for. */
  readonly key?: () => string;
}

export function newcomer({ instead = {}, key }: NewcomerOptions = {}): Newcomer {
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
  const asNobody = process.getuid?.() === 0;
  if (asNobody) chownSync(home, NOBODY, NOBODY);
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: home, TMPDIR: home, LC_ALL: "C.UTF-8", TERM: "dumb" };
  let all = "";
  const running: ChildProcess[] = [];

  const here = (text: string): string =>
    Object.entries(instead).reduce((words, [from, to]) => words.replaceAll(from, to), text);

  function start(command: string): { child: ChildProcess; said: () => string; over: Promise<number | null> } {
    let said = "";
    const child = spawn("bash", ["-c", command], {
      cwd: home,
      env,
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
      ...(asNobody ? { uid: NOBODY, gid: NOBODY } : {}),
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
      await eventually(async () => said() !== "" || child.exitCode !== null);
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
    for (const command of commandsOf(block.text)) {
      try {
        said += await type(command, block.role === "follow=typed");
      } catch (error) {
        throw new Error(`docs/${block.page}:${block.line}: ${(error as Error).message}`);
      }
      if (/curl/.test(command) && /^\{"error"/m.test(said))
        throw new Error(`docs/${block.page}:${block.line}: ${command}: ${said}`);
    }
    if (next?.role === "shows") expect(said).toMatch(patternOf(here(next.text)));
  }

  return {
    home,
    printed: () => all,
    async follow(block, next) {
      const { role, text } = block;
      if (role === "shows" || role === "example") return;
      if (role === "follow" || role === "follow=typed") return await lines(block, next);
      if (role === "follow=background") {
        const [command = ""] = commandsOf(text);
        const { child, said } = start(`exec ${filled(here(command), all)}`);
        running.push(child);
        const pattern = next?.role === "shows" ? patternOf(here(next.text)) : /./;
        await eventually(async () => {
          if (child.exitCode !== null) throw new Error(`docs/${block.page}:${block.line}: ended: ${said()}`);
          return pattern.test(said());
        });
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
      const path = join(home, here(file));
      mkdirSync(dirname(path), { recursive: true });
      (more === "+" ? appendFileSync : writeFileSync)(path, `${filled(here(text), all)}\n`, { mode: 0o640 });
      if (asNobody) for (const one of [path, dirname(path)]) chownSync(one, NOBODY, NOBODY);
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
