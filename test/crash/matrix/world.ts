/** The host of the crash matrix as a folder: boot id, uptime, programs that note what they were asked for, a log. */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type LogLine, places } from "./types.ts";

/** Nothing but the ids keeps a command from being done twice: no limit comes to their help. */
const POLICY = `
[commands]
remote = "on"
[allow]
nodefoundry = ["reboot", "smart_test"]
[limits.reboot]
minutes_apart = 0
a_day = 1000
`;

export function makeWorld(world: string): void {
  const at = places(world);
  for (const folder of [`${at.root}/run/systemd/system`, `${at.root}/proc/sys/kernel/random`, at.programs])
    mkdirSync(folder, { recursive: true });
  for (const folder of [at.state, at.helperState, at.synced]) mkdirSync(folder, { mode: 0o700 });
  writeFileSync(at.policy, POLICY, { mode: 0o644 });
  writeFileSync(at.log, "");
  const line = `{"kind":"reboot","boot":"%s"}\\n`;
  program(
    `${at.programs}/systemctl`,
    `case "$1" in
reboot) read -r boot < '${at.bootId}'; printf '${line}' "$boot" >> '${at.log}'; : > '${at.stopping}';;
*) if [ -e '${at.stopping}' ]; then echo stopping; else echo running; fi;;
esac`,
  );
  program(`${at.programs}/busctl`, "echo 'b false'");
  boot(world, 1);
}

function program(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** A fresh boot: what was in memory is gone. */
export function boot(world: string, number: number): void {
  const at = places(world);
  writeFileSync(at.bootId, `boot-${number}\n`);
  writeFileSync(at.uptime, "900.25 1.00\n");
  rmSync(at.stopping, { force: true });
  appendFileSync(at.log, `${JSON.stringify({ kind: "boot", boot: `boot-${number}` })}\n`);
}

export function readLog(world: string): LogLine[] {
  const text = readFileSync(places(world).log, "utf8");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as LogLine]));
}

/** Whether the second state of the world is sound: `ok`, and nothing was moved away as damaged. */
export function integrity(world: string): string {
  const { state } = places(world);
  const db = new DatabaseSync(`${state}/state.db`);
  try {
    const undo = Number(db.prepare("SELECT count(*) AS n FROM undo").get()?.n);
    if (undo > 0) return `${undo} undo records are left`;
    return String(db.prepare("PRAGMA integrity_check").get()?.integrity_check);
  } finally {
    db.close();
  }
}

export const isMarked = (world: string): boolean => existsSync(places(world).mark);

/** What the agent's log calls a mistake of its own. */
export function mistakes(world: string): string | null {
  return existsSync(`${world}/mistake`) ? readFileSync(`${world}/mistake`, "utf8") : null;
}
