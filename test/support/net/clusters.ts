/** Simulated nodes, and a cluster made of them. */
import { expect } from "vitest";
import type { Sandbox } from "./nodefoundry.ts";
import { type CallOptions, call } from "./sandbox.ts";

const drives = [
  { device: "nvme0n1", size_gb: 1920, type: "nvme" as const, smart_ok: true },
  { device: "sda", size_gb: 16_000, type: "hdd" as const },
];
export const seedNodes = ["a", "b", "c", "d"].map((name) => ({ hostname: `ceph-${name}`, drives }));

/** With the live key. */
export const live = async (sandbox: Sandbox, line: string, body?: unknown, options: CallOptions = {}) =>
  await call(sandbox.url, sandbox.keys.live, line, { ...options, ...(body === undefined ? {} : { body }) });

/** Of the nodes, oldest first. */
export const ids = (sandbox: Sandbox): string[] => sandbox.inspect().nodes.map((node) => node.id);

/** A cluster of the first three nodes (or as given), made and ready. */
export async function makeCluster(
  sandbox: Sandbox,
  clock: { now: number },
  fields: object = {},
): Promise<string> {
  const body = { name: "prod", node_ids: ids(sandbox).slice(0, 3), ceph_version: "reef", ...fields };
  const made = await live(sandbox, "POST /v1/clusters", body);
  expect(made.body).toEqual({
    data: {
      id: expect.stringMatching(/^clus_/),
      name: body.name,
      status: "CREATING",
      operation_id: expect.any(String),
    },
  });
  expect(made.status).toBe(201);
  clock.now += 10_000;
  expect((await live(sandbox, `GET /v1/operations/${made.body.data.operation_id}`)).body.data.status).toBe(
    "succeeded",
  );
  return made.body.data.id;
}
