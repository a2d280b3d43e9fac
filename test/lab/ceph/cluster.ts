/** A throw-away cluster of Ceph's own daemons on loopback: one monitor, one manager, OSDs on files. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../../scripts/paths.mjs";

const SCRIPT = join(ROOT, "scripts/lab/ceph-cluster.sh");
const PROGRAMS = {
  "ceph-mon": "ceph-mon",
  "ceph-mgr": "ceph-mgr",
  "ceph-osd": "ceph-osd",
  ceph: "ceph-common",
};
const run = promisify(execFile);

export interface Cluster {
  readonly folder: string;
  readonly conf: string;
  readonly fsid: string;
  /** The `ceph` program with the administrator's key. */
  ceph(...words: string[]): Promise<string>;
  stopOsd(id: number): Promise<void>;
  startOsd(id: number): Promise<void>;
  destroy(): Promise<void>;
}

/** Why there can't be one here; null: there can. */
export function clusterLacking(): string | null {
  if (process.getuid?.() !== 0) return "Ceph's daemons are started by root only";
  const missing = Object.entries(PROGRAMS).filter(
    ([program]) => spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status !== 0,
  );
  if (missing.length === 0) return null;
  return `apt-get install ${[...new Set(missing.map(([, name]) => name))].join(" ")}`;
}

/** @param port of the monitor; the daemons take the next hundred @param hosts CRUSH buckets lab-a, lab-b, … */
export async function startCluster(options: {
  readonly hosts: number;
  readonly osds: number;
  readonly port: number;
}): Promise<Cluster> {
  // Sockets live in it, so its path is short.
  const folder = mkdtempSync("/tmp/ceph-");
  const env = {
    PATH: process.env.PATH ?? "",
    LAB_HOSTS: String(options.hosts),
    LAB_OSDS: String(options.osds),
    LAB_POOL_SIZE: String(Math.min(3, options.hosts)),
    LAB_PORT: String(options.port),
    LAB_DATA_OBJECTS: "4",
  };
  const script = async (...words: string[]): Promise<void> => {
    await run(SCRIPT, words, { env, timeout: 240_000 });
  };
  try {
    await script("start", folder);
  } catch {
    // Setting up may be tried twice: a mon that is starved on a busy machine loses its first election.
    await script("start", folder);
  }
  const conf = join(folder, "ceph.conf");
  return {
    folder,
    conf,
    fsid: readFileSync(join(folder, "fsid"), "utf8").trim(),
    async ceph(...words) {
      const access = ["--conf", conf, "--name", "client.admin", "--keyring", join(folder, "admin.keyring")];
      const { stdout } = await run("ceph", [...access, "--connect-timeout", "10", ...words], {
        env,
        timeout: 60_000,
      });
      return stdout;
    },
    stopOsd: (id) => script("kill-osd", folder, String(id)),
    startOsd: (id) => script("start-osd", folder, String(id)),
    async destroy() {
      await script("stop", folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
