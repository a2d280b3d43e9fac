/**
 * The dearest answers to a sync that a server can think of, most of them within every limit, and a server that gives
 * them. Without a test around it: the bench measures what they cost.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";

const MIB = 1024 * 1024;

/** @param commands JSON of what stands where commands are read one by one, so that all of it is looked at */
function sync(commands: string, more = ""): string {
  return `{"data":{"now":"2026-11-20T12:00:00Z","ack_seq":1,"acked_events":[],"resync":[],"epoch":"e","commands":[${commands}]${more}}}`;
}

const times = (count: number, piece: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => piece(index)).join(",");

const command = (index: number, params: string): string =>
  `{"id":"cmd_${index}","node_id":"node_1","mode":"live","type":"noop","params":${params},"epoch":"e","seq":${index},"issued_at":"2026-11-20T12:00:00Z","expires_at":"2026-11-20T13:00:00Z"}`;

/** Bodies by what they are. */
export const WORST: Readonly<Record<string, () => string>> = {
  "4 MB of brackets": () => "[".repeat(4 * MIB),
  "1.4 million empty objects": () => sync(times(1_400_000, () => "{}")),
  "empty objects up to the limit": () => sync(times(8_000, () => "{}")),
  "numbers up to the limit": () => sync(times(16_000, (n) => `${n}.5`)),
  "objects of one member, each named otherwise": () => sync(times(5_000, (n) => `{"name-${n}":{}}`)),
  "one object of many members": () => sync(`{${times(16_000, (n) => `"member-${n}":${n}`)}}`),
  "64 levels, again and again": () => sync(times(250, () => "[".repeat(58) + "]".repeat(58))),
  "short texts up to the limit": () => sync(times(16_000, (n) => `"${n} text"`)),
  "one text of two bytes a letter": () => sync(`"${"\u0416".repeat(MIB / 2 - 200)}"`),
  "100 commands of 10 KiB": () => sync(times(100, (n) => command(n, `{"x":"${"y".repeat(10_000)}"}`))),
  "commands of many members": () =>
    sync(times(100, (n) => command(n, `{${times(150, (m) => `"m${m}":${m}`)}}`))),
};

export interface WorstServer {
  readonly url: string;
  /** What a sync is answered with from now on; null: as it should be. */
  answer(body: string | null): void;
  /** Syncs so far. */
  syncs(): number;
  /** Ids of the events that came and were acknowledged, in the order in which they came. */
  events(): readonly string[];
  close(): void;
}

interface Said {
  readonly seq: number;
  readonly events?: readonly { readonly id: string }[];
}

/** It registers any node with any key. */
export async function startWorstServer(): Promise<WorstServer> {
  let packed: Buffer | null = null;
  let syncs = 0;
  const events: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const said = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
    response.setHeader("content-type", "application/json");
    if (request.url === "/v1/nodes")
      return void response.end('{"data":{"id":"node_1","mode":"test","node_token":"nf_nt_abcdefgh"}}');
    syncs += 1;
    if (packed !== null) {
      response.setHeader("content-encoding", "gzip");
      return void response.end(packed);
    }
    const { seq, events: sent = [] } = JSON.parse(said.toString()) as Said;
    const acked_events = sent.map(({ id }) => id);
    events.push(...acked_events);
    const now = new Date().toISOString();
    const data = { now, ack_seq: seq, acked_events, resync: [], epoch: "e", commands: [] };
    response.end(JSON.stringify({ data }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer(body) {
      packed = body === null ? null : gzipSync(body);
    },
    syncs: () => syncs,
    events: () => events,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
