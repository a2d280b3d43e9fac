/**
 * The worst answers that a server can give, to a daemon that may have no more memory than its unit lets it: it is the
 * same process afterwards, the kernel killed nobody, and the first right answer gets through.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHIP_FLAGS } from "../../../scripts/flags.mjs";
import { BUNDLE, ROOT } from "../../../scripts/paths.mjs";
import { ask } from "../../support/agent/unix-http.ts";
import { startWorstServer, WORST, type WorstServer } from "../../support/net/worst-answers.ts";
import { until } from "../nspawn.ts";

/** As often as it took to be killed before, and some: what is left over of one must not add up. */
const ROUNDS = 4;

const JSON_BODY = { "content-type": "application/json" };

const unit = readFileSync(`${ROOT}/systemd/foundry-agent.service`, "utf8");
const MEMORY_MAX = Number(/^MemoryMax=(\d+)M$/m.exec(unit)?.[1]) * 1024 * 1024;

/** A group of its own with the unit's limit; swap would only hide what does not fit. @returns null where none can be had */
function openGroup(): { folder: string; kills: () => number } | null {
  const name = `foundry-agent-lab-${process.pid}`;
  const ways = [
    ["/sys/fs/cgroup", "memory.max", "memory.swap.max", "memory.events"],
    ["/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control"],
  ] as const;
  for (const [parent, limit, swap, events] of ways) {
    const folder = join(parent, name);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    if (existsSync(join(folder, limit))) {
      writeFileSync(join(folder, limit), String(MEMORY_MAX));
      try {
        writeFileSync(join(folder, swap), limit === "memory.max" ? "0" : String(MEMORY_MAX));
      } catch {
        // A kernel that does not count swap has none to give here.
      }
      const kills = (): number =>
        Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(folder, events), "utf8"))?.[1]);
      return { folder, kills };
    }
    rmdirSync(folder);
  }
  return null;
}

const group = openGroup();
if (group === null)
  console.error("SKIPPED: no memory cgroup can be made here (only root can, with cgroups writable)");

describe.skipIf(group === null)("a daemon with the memory of its unit", () => {
  const folder = mkdtempSync(join(tmpdir(), "foundry-answers-"));
  const socket = join(folder, "control.sock");
  let server: WorstServer;
  let child: ChildProcess;

  const post = async (path: string, body?: unknown) =>
    await ask(socket, path, {
      method: "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: JSON_BODY }),
    });

  beforeAll(async () => {
    if (group === null) return;
    server = await startWorstServer();
    const config = join(folder, "config.toml");
    writeFileSync(
      config,
      `[agent]\nstate_dir = "${folder}/state"\nrun_dir = "${folder}"\nlog_level = "error"\n[nodefoundry]\nurl = "${server.url}"\n`,
      { mode: 0o600 },
    );
    const command = [process.execPath, ...SHIP_FLAGS, BUNDLE, "run", "--config", config];
    const into = `echo $$ >"${group.folder}/cgroup.procs" && exec "$@"`;
    child = spawn("sh", ["-c", into, "sh", ...command], { stdio: ["ignore", "ignore", "inherit"] });
    await until("it listens", async () => (existsSync(socket) ? true : null));
    await until("it registered", async () =>
      (await post("/v1/enroll", { key: "nf_en_abcdefgh1234" })).status === 200 ? true : null,
    );
  });

  afterAll(async () => {
    if (group === null) return;
    server.close();
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
    rmdirSync(group.folder);
  });

  it.each(Object.keys(WORST))("outlives %s", async (name) => {
    if (group === null) return;
    server.answer((WORST[name] as () => string)());
    const before = server.syncs();
    for (let round = 0; round < ROUNDS; round++) await post("/v1/sync");
    expect(server.syncs() - before).toBe(ROUNDS);
    server.answer(null);
    expect((await post("/v1/sync")).json.data).toMatchObject([{ ok: true }]);
    expect([child.exitCode, child.signalCode, group.kills()]).toEqual([null, null, 0]);
  });
});
