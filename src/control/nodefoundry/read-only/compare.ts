/**
 * A server without an agent API, or a key that may only read: look for this node in the documented list and
 * say what the server sees differently. GET only.
 */
import * as v from "valibot";
import { AgentError } from "../../../model/errors.ts";
import type { Report } from "../../../model/report.ts";
import { badAnswer } from "../../http/errors.ts";
import type { HttpAnswer } from "../../http/http.ts";
import { NodeListAnswer, type NodeOnServer, NodeWire } from "../wire.ts";

const PER_PAGE = 100;
/** 2000 nodes; beyond that the account's limit would be spent on looking for oneself. */
const MAX_PAGES = 20;

/** What this node knows of itself that the documented node has too; null or empty: not known. */
export interface OwnFacts {
  readonly hostname: string;
  readonly addresses: readonly string[];
  readonly cores: number | null;
  readonly memoryBytes: number | null;
  /** Kernel name and size; null: not known. */
  readonly drives: readonly { readonly name: string; readonly sizeBytes: number | null }[] | null;
}

/** Every node of the list whose entry can be read. @param get a GET of a path, answered 200 */
export async function listNodes(
  get: (path: string) => Promise<HttpAnswer>,
  clusterId: string | null,
  host: string,
): Promise<NodeOnServer[]> {
  const nodes: NodeOnServer[] = [];
  const filter = clusterId === null ? "" : `&cluster_id=${encodeURIComponent(clusterId)}`;
  for (let page = 1; page <= MAX_PAGES; page++) {
    const answer = await get(`/v1/nodes?page=${page}&per_page=${PER_PAGE}${filter}`);
    const parsed = v.safeParse(NodeListAnswer, answer.body);
    if (!parsed.success) throw badAnswer(host, "something else than a list of nodes");
    for (const item of parsed.output.data) {
      const node = v.safeParse(NodeWire, item);
      if (node.success) nodes.push(node.output);
    }
    const { total } = parsed.output.meta;
    const seen = (page - 1) * PER_PAGE + parsed.output.data.length;
    if (parsed.output.data.length < PER_PAGE || (total !== null && seen >= total)) break;
  }
  return nodes;
}

/**
 * The node that is this one: of that hostname, and of one of our addresses where the name is not unique.
 * An address alone is no identity, it changes between boot phases.
 * @throws AgentError `node_not_listed`, `node_ambiguous`
 */
export function findOwnNode(nodes: readonly NodeOnServer[], own: OwnFacts): NodeOnServer {
  const named = nodes.filter((node) => shortName(node.hostname) === shortName(own.hostname));
  const [first] = named;
  if (first === undefined) {
    throw new AgentError(
      "node_not_listed",
      `NodeFoundry lists no node named ${own.hostname}.`,
      "hostname  # register a host of this name in NodeFoundry, or take a key of the account that has it",
    );
  }
  if (named.length === 1) return first;
  const here = named.filter((node) => node.ip_address !== null && own.addresses.includes(node.ip_address));
  if (here.length === 1 && here[0]) return here[0];
  throw new AgentError(
    "node_ambiguous",
    `NodeFoundry lists ${named.length} nodes named ${own.hostname}, and the addresses do not tell which is this one.`,
    "give this host a name that no other node has, with hostnamectl set-hostname",
  );
}

/** What the server has otherwise, one short phrase each; [] when nothing differs. */
export function differences(node: NodeOnServer, own: OwnFacts): string[] {
  const found: string[] = [];
  if (node.ip_address !== null && own.addresses.length > 0 && !own.addresses.includes(node.ip_address)) {
    found.push(`address ${node.ip_address} is not one of this host`);
  }
  if (node.cpu_cores !== null && own.cores !== null && node.cpu_cores !== own.cores) {
    found.push(`${node.cpu_cores} CPU cores there, ${own.cores} here`);
  }
  const gigabytes = own.memoryBytes === null ? null : own.memoryBytes / 2 ** 30;
  // The kernel keeps some of the memory for itself, and GB may mean either.
  if (node.ram_gb !== null && gigabytes !== null && Math.abs(node.ram_gb - gigabytes) > 0.1 * node.ram_gb) {
    found.push(`${node.ram_gb} GB of memory there, ${gigabytes.toFixed(1)} here`);
  }
  if (own.drives !== null) {
    const there = new Map(node.drives.map((drive) => [drive.device, drive]));
    for (const drive of own.drives) {
      const known = there.get(drive.name);
      there.delete(drive.name);
      if (!known) found.push(`drive ${drive.name} is not known there`);
      else if (!sameSize(known.size_gb, drive.sizeBytes)) {
        found.push(`drive ${drive.name} has ${known.size_gb} GB there`);
      }
    }
    for (const device of there.keys()) found.push(`drive ${device} is not here`);
  }
  return found;
}

/** Read tolerantly from the report, whose sections belong to other files. */
export function ownFacts(hostname: string, report: Report): OwnFacts {
  const data = (name: string): unknown => report.sections[name]?.data ?? null;
  const cpu = v.safeParse(v.object({ cores: v.number() }), data("cpu"));
  const memory = v.safeParse(v.object({ total_bytes: v.number() }), data("memory"));
  const drives = v.safeParse(
    v.object({ drives: v.array(v.object({ name: v.string(), size_bytes: v.nullish(v.number(), null) })) }),
    data("drives"),
  );
  const network = v.safeParse(
    v.object({
      interfaces: v.array(v.object({ addresses: v.array(v.object({ address: v.string() })) })),
    }),
    data("network"),
  );
  return {
    hostname,
    addresses: network.success
      ? network.output.interfaces.flatMap((each) => each.addresses.map(({ address }) => address))
      : [],
    cores: cpu.success ? cpu.output.cores : null,
    memoryBytes: memory.success ? memory.output.total_bytes : null,
    drives: drives.success
      ? drives.output.drives.map((drive) => ({ name: drive.name, sizeBytes: drive.size_bytes }))
      : null,
  };
}

function shortName(hostname: string): string {
  return hostname.toLowerCase().replace(/\..*/, "");
}

/** GB of makers (10^9) or of the kernel (2^30), rounded somehow. */
function sameSize(gigabytes: number | null, bytes: number | null): boolean {
  if (gigabytes === null || bytes === null) return true;
  return [1e9, 2 ** 30].some((unit) => Math.abs(gigabytes - bytes / unit) <= Math.max(1, 0.02 * gigabytes));
}
