/**
 * How fast the status socket answers: a client that asks one after the other, and ten at once; and what a scrape costs
 * that comes alone, so that all is read for it, beside node_exporter's.
 */
import { Pool } from "undici";
import { type Bench, milliseconds, type Part, type Row } from "./bench-types.ts";
import { startAgent, startExporter } from "./daemons.ts";
import { cpuMsOf, percentile, wait } from "./figures.ts";

const ROUTES = ["/v1/status", "/v1/report", "/metrics"];
const MANY = 10;
/** What was read is kept for a second. */
const APART_MS = 1_100;

async function load(
  socketPath: string,
  path: string,
  connections: number,
  requests: number,
): Promise<number[]> {
  const pool = new Pool("http://localhost", { socketPath, connections, pipelining: 1 });
  const times: number[] = [];
  let left = requests;
  async function client(): Promise<void> {
    while (left-- > 0) {
      const from = performance.now();
      const answer = await pool.request({ method: "GET", path });
      await answer.body.arrayBuffer();
      if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}`);
      times.push(performance.now() - from);
    }
  }
  await Promise.all(Array.from({ length: connections }, client));
  await pool.close();
  return times;
}

/** CPU of one scrape of each, milliseconds, in turn; without a node_exporter there is none of it. */
async function scrapes(bench: Bench, pid: number, socketPath: string): Promise<Row> {
  await using exporter = bench.exporter === null ? null : await startExporter(bench, bench.exporter);
  const pids = exporter === null ? [pid] : [pid, exporter.pid];
  const times = bench.quick ? 20 : 60;
  const once = async (): Promise<void> => {
    await load(socketPath, "/metrics", 1, 1);
    await exporter?.scrape();
  };
  await once();
  const before = pids.map(cpuMsOf);
  for (let time = 0; time < times; time++) {
    await wait(APART_MS);
    await once();
  }
  const [ours = "", peer = ""] = pids.map((one, index) =>
    milliseconds((cpuMsOf(one) - (before[index] ?? 0)) / times),
  );
  return {
    what: "a scrape by itself, with the rest of its second: CPU",
    ours,
    peer,
    target: "< node_exporter",
  };
}

export const statusSocket: Part = {
  name: "socket",
  async run(bench: Bench): Promise<Row[]> {
    await using agent = await startAgent(bench);
    const requests = bench.quick ? 300 : 2_000;
    const rows: Row[] = [];
    for (const path of ROUTES) {
      await load(agent.statusSocket, path, 1, 50);
      for (const connections of [1, MANY]) {
        const before = cpuMsOf(agent.pid);
        const times = await load(agent.statusSocket, path, connections, requests);
        const cpu = (cpuMsOf(agent.pid) - before) / requests;
        rows.push({
          what: `GET ${path}, ${connections} client${connections > 1 ? "s" : ""}: p50 / p99`,
          ours: `${milliseconds(percentile(times, 0.5))} / ${milliseconds(percentile(times, 0.99))}, CPU ${milliseconds(cpu)}`,
          peer: "",
          target: "",
        });
      }
    }
    rows.push(await scrapes(bench, agent.pid, agent.statusSocket));
    return rows;
  },
};
