/** How fast the status socket answers: a client that asks one after the other, and ten at once. */
import { Pool } from "undici";
import { type Bench, milliseconds, type Part, type Row } from "./bench-types.ts";
import { startAgent } from "./daemons.ts";
import { cpuMsOf, percentile } from "./figures.ts";

const ROUTES = ["/v1/status", "/v1/report", "/metrics"];
const MANY = 10;

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
    return rows;
  },
};
