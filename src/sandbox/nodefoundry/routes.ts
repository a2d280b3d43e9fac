/** Every call of the NodeFoundry sandbox: this table is the API's index. */
import type { Answer, RoutePath } from "../http.ts";
import {
  createCluster,
  deleteCluster,
  getCluster,
  listClusters,
  upgradeCluster,
} from "./account-api/clusters.ts";
import {
  adoptNode,
  askResync,
  deleteNode,
  getNode,
  getReport,
  listCommands,
  listEvents,
  listNodes,
  postCommand,
  rebootNode,
  rotateToken,
} from "./account-api/nodes.ts";
import { cancelOperation, getOperation, listOperations } from "./account-api/operations.ts";
import { listOsds, reweightOsd } from "./account-api/osds.ts";
import { createPool, listPools } from "./account-api/pools.ts";
import type { Access } from "./agent-api/auth.ts";
import { getDiagnostics, putDiagnostics } from "./agent-api/diagnostics.ts";
import { enrol } from "./agent-api/enrol.ts";
import { sync } from "./agent-api/sync.ts";
import type { Call } from "./world.ts";

export interface Route extends RoutePath {
  readonly access: Access;
  /** reference: documented by NodeFoundry · agent: the agent API · ours: a convenience where the reference is silent. */
  readonly origin: "reference" | "agent" | "ours";
  readonly handle: (call: Call) => Answer | Promise<Answer>;
}

// biome-ignore format: a table is read in columns
export const ROUTES: readonly Route[] = [
  { method: "GET",    path: "/v1/clusters",                                access: "read",  origin: "reference", handle: listClusters },
  { method: "POST",   path: "/v1/clusters",                                access: "write", origin: "reference", handle: createCluster },
  { method: "GET",    path: "/v1/clusters/{id}",                           access: "read",  origin: "ours",      handle: getCluster },
  { method: "POST",   path: "/v1/clusters/{id}/upgrade",                   access: "write", origin: "reference", handle: upgradeCluster },
  { method: "DELETE", path: "/v1/clusters/{id}",                           access: "write", origin: "reference", handle: deleteCluster },
  { method: "GET",    path: "/v1/clusters/{id}/osds",                      access: "read",  origin: "reference", handle: listOsds },
  { method: "POST",   path: "/v1/clusters/{id}/osds/{osd_id}/reweight",    access: "write", origin: "reference", handle: reweightOsd },
  { method: "POST",   path: "/v1/clusters/{id}/pools",                     access: "write", origin: "reference", handle: createPool },
  { method: "GET",    path: "/v1/clusters/{id}/pools",                     access: "read",  origin: "ours",      handle: listPools },
  { method: "GET",    path: "/v1/nodes",                                   access: "read",  origin: "reference", handle: listNodes },
  { method: "GET",    path: "/v1/nodes/{id}",                              access: "read",  origin: "ours",      handle: getNode },
  { method: "POST",   path: "/v1/nodes/{id}/reboot",                       access: "write", origin: "reference", handle: rebootNode },
  { method: "GET",    path: "/v1/operations/{id}",                         access: "read",  origin: "reference", handle: getOperation },
  { method: "GET",    path: "/v1/operations",                              access: "read",  origin: "ours",      handle: listOperations },
  { method: "POST",   path: "/v1/operations/{id}/cancel",                  access: "write", origin: "ours",      handle: cancelOperation },

  { method: "POST",   path: "/v1/nodes",                                   access: "enrol", origin: "agent",     handle: enrol },
  { method: "POST",   path: "/v1/nodes/{id}/sync",                         access: "node",  origin: "agent",     handle: sync },
  { method: "PUT",    path: "/v1/nodes/{id}/diagnostics/{command_id}",     access: "node",  origin: "agent",     handle: putDiagnostics },

  { method: "POST",   path: "/v1/nodes/{id}/adopt",                        access: "adopt", origin: "ours",      handle: adoptNode },
  { method: "POST",   path: "/v1/nodes/{id}/commands",                     access: "write", origin: "ours",      handle: postCommand },
  { method: "GET",    path: "/v1/nodes/{id}/commands",                     access: "read",  origin: "ours",      handle: listCommands },
  { method: "GET",    path: "/v1/nodes/{id}/report",                       access: "read",  origin: "ours",      handle: getReport },
  { method: "GET",    path: "/v1/nodes/{id}/events",                       access: "read",  origin: "ours",      handle: listEvents },
  { method: "GET",    path: "/v1/nodes/{id}/diagnostics/{command_id}",     access: "read",  origin: "ours",      handle: getDiagnostics },
  { method: "POST",   path: "/v1/nodes/{id}/resync",                       access: "write", origin: "ours",      handle: askResync },
  { method: "POST",   path: "/v1/nodes/{id}/rotate-token",                 access: "write", origin: "ours",      handle: rotateToken },
  { method: "DELETE", path: "/v1/nodes/{id}",                              access: "write", origin: "ours",      handle: deleteNode },
];
