/**
 * The points at which a process may be killed: counted as the code comes by, each with a name that is the same in
 * every run (what, and the how-manieth of it), so that one run lists them and the next ones die at them.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { type Job, type LogLine, places, type Role } from "./types.ts";

export interface Points {
  /** Comes by; never returns where this is where the process dies. */
  point(what: string): void;
  say(line: LogLine): void;
  /** The host goes down: all processes end at once. */
  hostDown(): never;
}

export function openPoints(job: Job): Points {
  const { log, pid } = places(job.world);
  const seen = new Map<string, number>();
  let passed = 0;
  let fired = false;

  const say = (line: LogLine): void => appendFileSync(log, `${JSON.stringify(line)}\n`);

  /** Others first: nobody is left to do it afterwards. */
  function end(victims: readonly Role[]): void {
    const own = job.together ? victims.length > 0 : victims.includes(job.role);
    if (!job.together)
      for (const role of victims) {
        if (role !== job.role && existsSync(pid(role))) killOther(Number(readFileSync(pid(role), "utf8")));
      }
    if (own) {
      process.kill(process.pid, "SIGKILL");
      throw new Error("still here after SIGKILL");
    }
  }

  return {
    say,
    point(what) {
      const number = (seen.get(what) ?? 0) + 1;
      seen.set(what, number);
      passed++;
      const name = `${what} #${number}`;
      if (job.kill === null) return say({ kind: "point", role: job.role, name, life: job.life });
      if (fired || (job.kill.at !== name && job.kill.at !== passed)) return;
      fired = true;
      say({ kind: "killed", at: name });
      end(job.kill.victims);
    },
    hostDown() {
      say({ kind: "down" });
      end(["main", "helper"]);
      throw new Error("still here after the host went down");
    },
  };
}

function killOther(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}
