/**
 * The agent, a real node_exporter and a real Prometheus that scrapes both, in a network of their own with a load that
 * is known. Nothing of it is left when the test is over.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { BUNDLE } from "../../../scripts/paths.mjs";
import { temporaryFolder } from "../../support/machine/tree.ts";

/** Bytes a second over lo, as far as they are the load's. */
export const LOAD = 2_000_000;
export const SCRAPE_S = 5;
const [OURS, THEIRS, PROMETHEUS] = [19_105, 19_100, 19_090];

/** What has to be installed, or null. */
export function lacking(): string | null {
  const found = (program: string): boolean =>
    spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;
  if (process.getuid?.() !== 0) return "network namespaces are made by root only";
  const missing = [
    ["prometheus", "prometheus"],
    ["prometheus-node-exporter", "prometheus-node-exporter"],
    ["ip", "iproute2"],
    ["curl", "curl"],
  ].filter(([program]) => !found(program as string));
  if (missing.length > 0) return `apt-get install ${missing.map(([, name]) => name).join(" ")}`;
  const allowed = spawnSync("unshare", ["-m", "-n", "true"], { stdio: "ignore" }).status === 0;
  return allowed ? null : "no namespaces may be made here";
}

const CONFIG = `
global:
  scrape_interval: ${SCRAPE_S}s
scrape_configs:
  - job_name: ours
    static_configs: [{ targets: ["127.0.0.1:${OURS}"] }]
  - job_name: theirs
    static_configs: [{ targets: ["127.0.0.1:${THEIRS}"] }]
`;

// Debian has node_exporter leave out lo.
const SCRIPT = `
set -e
ip link set lo up
"$1" "$2/steady-load.mjs" ${LOAD} &
prometheus-node-exporter --collector.netdev.device-exclude=^$ --web.listen-address=127.0.0.1:${THEIRS} > "$3/exporter.log" 2>&1 &
"$1" "$4" run --config "$3/config.toml" > "$3/agent.log" 2>&1 &
exec prometheus --config.file="$3/prometheus.yml" --storage.tsdb.path="$3/tsdb" \\
  --web.listen-address=127.0.0.1:${PROMETHEUS} > "$3/prometheus.log" 2>&1
`;

export interface Scene {
  /** The text of both as they are now. */
  scrape(whose: "ours" | "theirs"): string;
  /** An instant query; labels (as JSON) → value. */
  query(expression: string): ReadonlyMap<string, number>;
}

/** Resolves when both targets are up. */
export async function startScene(): Promise<Scene> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "lab.sh"), SCRIPT);
  writeFileSync(join(folder, "prometheus.yml"), CONFIG);
  writeFileSync(
    join(folder, "config.toml"),
    `[agent]\nstate_dir = "${folder}/state"\nrun_dir = "${folder}/run"\n[metrics]\nlisten = "127.0.0.1:${OURS}"\n`,
    { mode: 0o600 },
  );
  // A process namespace of its own: when its first process ends, all others in it do.
  const child = spawn(
    "unshare",
    [
      ...["-n", "-p", "-f", "--kill-child", "sh", join(folder, "lab.sh")],
      ...[process.execPath, new URL(".", import.meta.url).pathname, folder, BUNDLE],
    ],
    { stdio: "ignore" },
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  const curl = (url: string, ...more: string[]): string =>
    spawnSync("nsenter", ["-t", String(child.pid), "-n", "curl", "-s", ...more, url], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    }).stdout;
  const query = (expression: string): ReadonlyMap<string, number> => {
    const answer = curl(
      `http://127.0.0.1:${PROMETHEUS}/api/v1/query`,
      "--data-urlencode",
      `query=${expression}`,
    );
    // Nothing at all before it listens.
    const { data, error } = JSON.parse(answer || '{"data":{"result":[]}}') as {
      data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
      error?: string;
    };
    if (data === undefined) throw new Error(`${expression}: ${error}`);
    return new Map(data.result.map(({ metric, value }) => [JSON.stringify(metric), Number(value[1])]));
  };
  await expect.poll(() => [...query("up == 1").keys()].length, { timeout: 60_000, interval: 1000 }).toBe(2);
  return {
    scrape: (whose) => curl(`http://127.0.0.1:${whose === "ours" ? OURS : THEIRS}/metrics`),
    query,
  };
}
