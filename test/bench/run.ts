/**
 * `npm run bench [-- --quick] [-- --only startup,idle] [-- --executable FILE]`
 *
 * Prints one table: the agent as it ships, an executable that is built first, and prometheus-node-exporter
 * (Debian's package) on the same machine in the same run. What is sensitive to other work runs alone; the half hour of traffic counting
 * runs beside the memory watching, which it does not disturb (an idle agent uses 0.1 % of a core).
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { SHIP_FLAGS } from "../../scripts/flags.mjs";
import { BUNDLE, ROOT } from "../../scripts/paths.mjs";
import { answers } from "./answers.ts";
import type { Bench, Part, Row } from "./bench-types.ts";
import { collection } from "./collection.ts";
import { libraries } from "./libraries.ts";
import { size } from "./size.ts";
import { smart } from "./smart.ts";
import { startup } from "./startup.ts";
import { statusSocket } from "./status-socket.ts";
import { idle, load } from "./steady.ts";
import { traffic } from "./traffic.ts";

const EXPORTER = "/usr/bin/prometheus-node-exporter";
/** In the table's order. */
const ALONE: readonly Part[] = [size, startup, collection, libraries, statusSocket, smart, answers];
const LONG: readonly Part[] = [idle, load];

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function table(rows: readonly Row[]): string {
  const head = ["", "foundry-agent", "node_exporter", "target"];
  const cells = [
    head,
    head.map(() => "---"),
    ...rows.map((row) => [row.what, row.ours, row.peer, row.target]),
  ];
  const widths = head.map((_, column) => Math.max(...cells.map((cell) => (cell[column] ?? "").length)));
  const padded = cells.map((row, index) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0, index === 1 ? "-" : " ")),
  );
  return padded.map(line).join("\n");
}

function machine(exporter: string | null): string {
  const [cpu] = cpus();
  const version =
    exporter === null
      ? null
      : /version (\S+)/.exec(
          spawnSync(exporter, ["--version"]).stdout.toString() +
            spawnSync(exporter, ["--version"]).stderr.toString(),
        );
  return [
    `${cpu?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}`,
    `agent on Node ${process.versions.node} ${SHIP_FLAGS.join(" ")}`,
    exporter === null
      ? "node_exporter is not installed, so there is nothing to compare with: apt-get install prometheus-node-exporter"
      : `prometheus-node-exporter ${version?.[1] ?? "of unknown version"} with its default collectors`,
  ].join("\n");
}

/** This machine's executable, fresh; where it can't be built, the bundle with the same flags. */
function shipped(): string[] {
  const built = spawnSync(process.execPath, [`${ROOT}/scripts/build/build.mjs`, `--arch=${process.arch}`]);
  // Pages that the disk has yet to take count as dirty, and the housekeeping leaves those alone.
  spawnSync("sync");
  if (built.status === 0) return [`${ROOT}/dist/foundry-agent-linux-${process.arch}`];
  console.log(`the bundle is measured, for the executable can't be built: ${built.stderr.toString().trim()}`);
  return [process.execPath, ...SHIP_FLAGS, BUNDLE];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      executable: { type: "string" },
    },
  });
  const only = values.only?.split(",");
  const wanted = (part: Part): boolean => only === undefined || only.includes(part.name);
  const unknown =
    only?.filter((name) => ![...ALONE, ...LONG, traffic].some((part) => part.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`there is no part ${unknown.join(", ")}`);
  const bench: Bench = {
    quick: values.quick,
    agent: values.executable === undefined ? shipped() : [resolve(values.executable)],
    exporter: existsSync(EXPORTER) ? EXPORTER : null,
    started: new Set(),
    say: (text) => console.error(text),
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      for (const pid of bench.started) process.kill(pid, "SIGTERM");
      process.exit(1);
    });
  console.log(machine(bench.exporter));
  console.log(
    values.quick ? "QUICK: durations are too short for the memory, traffic and write figures\n" : "",
  );
  const rows: Row[] = [];
  const run = async (part: Part): Promise<Row[]> => {
    bench.say(`… ${part.name}`);
    return await part.run(bench);
  };
  for (const part of ALONE.filter(wanted)) rows.push(...(await run(part)));
  const counting = wanted(traffic) ? run(traffic) : Promise.resolve([]);
  for (const part of LONG.filter(wanted)) rows.push(...(await run(part)));
  rows.push(...(await counting));
  console.log(table(rows));
}

await main();
