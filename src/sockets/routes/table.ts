/**
 * Every route of the two sockets: one row each, in the order of docs/status-socket.openapi.json, which is
 * made from this table. A row with `socket: "control"` does not exist on status.sock. What each answers is in
 * wire/answers.ts, which the daemon does not load.
 */

import * as onAcks from "./acks.ts";
import * as actions from "./actions.ts";
import * as onCommands from "./commands.ts";
import { readDiagnostics } from "./diagnostics.ts";
import * as onDrives from "./drives.ts";
import * as reads from "./reads.ts";
import type { Route } from "./route.ts";

const UNDO = { undo: "1: what the last adoption did is undone" };
const RAW = { raw: "1: with fields named raw, a device's own answer (control.sock only)" };
const OWN_WORDS = { raw: "1: smartctl's own JSON, asked for now (control.sock only)" };
const API = { api: "Name of one control API; all without it" };
const EVENTS = {
  since: "Id of an event: only what came after it",
  follow: "1: stay connected and send what comes",
  limit: "Stop after so many events",
};
const COLLECT = { name: "Name of the collector" };
const LIMIT = { limit: "At most so many, newest first; 100 without it" };

const NO_QUERY = {};
const NO_BODY = null;

type Row = readonly [
  Route["method"],
  Route["path"],
  Route["socket"],
  Route["query"],
  Route["body"],
  Route["run"],
  Route["summary"],
];

// biome-ignore format: a table is read by its columns
const ROWS = [
  ["GET",  "/v1/status",                "status",  NO_QUERY, NO_BODY, reads.readStatus,   "How the agent and this node fare"],
  ["GET",  "/v1/report",                "status",  RAW,      NO_BODY, reads.readReport,   "The last report, all sections"],
  ["GET",  "/v1/report/{section}",      "status",  RAW,      NO_BODY, reads.readSection,  "One section of the report"],
  ["GET",  "/v1/drives",                "status",  NO_QUERY, NO_BODY, onDrives.readDrives, "Drives that are there, with their health, and drives that were"],
  ["GET",  "/v1/drives/{drive}",        "status",  OWN_WORDS, NO_BODY, onDrives.readDrive,  "One drive by device name, on control.sock also by serial number or id"],
  ["POST", "/v1/drives/{serial}/forget", "control", NO_QUERY, NO_BODY, actions.forgetDrive, "A missing drive will not come back: forget it"],
  ["POST", "/v1/drives/{drive}/ack", "control", NO_QUERY, onAcks.ackBody, onAcks.ackDrive, "Today's counters of a drive are known: no warning until one grows"],
  ["POST", "/v1/drives/{drive}/unack", "control", NO_QUERY, NO_BODY, onAcks.unackDrive, "Warn of a drive again"],
  ["POST", "/v1/drives/{drive}/locate", "control", NO_QUERY, onDrives.locateBody, onDrives.locateDrive, "Let the light on a drive's slot blink for a time, or end it"],
  ["POST", "/v1/drives/{drive}/smart-test", "control", NO_QUERY, onDrives.selfTestBody, onDrives.testDrive, "Start or end a self-test inside a drive"],
  ["GET",  "/v1/commands",              "status",  LIMIT,    NO_BODY, onCommands.readCommands, "Commands received, newest first"],
  ["GET",  "/v1/commands/{id}",         "status",  NO_QUERY, NO_BODY, onCommands.readCommand, "One command; on control.sock with its history"],
  ["POST", "/v1/commands",              "control", NO_QUERY, onCommands.submitBody, onCommands.submitCommand, "Take a command into the journal, or say what stands in its way"],
  ["POST", "/v1/commands/{id}/cancel",  "control", NO_QUERY, NO_BODY, onCommands.cancelCommand, "Cancel a command, as long as that is possible"],
  ["POST", "/v1/commands/{id}/ack",     "control", NO_QUERY, NO_BODY, onCommands.ackCommand, "What is missed since this reboot is meant to be so"],
  ["POST", "/v1/hold",                  "control", NO_QUERY, onCommands.holdBody, onCommands.hold, "Every command from the network waits until it is released"],
  ["POST", "/v1/release",               "control", NO_QUERY, NO_BODY, onCommands.release, "End the hold"],
  ["GET",  "/v1/events",                "status",  EVENTS,   NO_BODY, reads.readEvents,   "Events, one JSON object a line, oldest first"],
  ["GET",  "/v1/why",                   "status",  NO_QUERY, NO_BODY, reads.readWhyAll,   "Everything that is wrong now, worst first"],
  ["GET",  "/v1/why/{id}",              "status",  NO_QUERY, NO_BODY, reads.readWhy, "What is known of a condition, section or command"],
  ["POST", "/v1/collect",               "control", COLLECT,  NO_BODY, actions.collect, "Run one collector now"],
  ["POST", "/v1/sync",                  "control", API,      NO_BODY, actions.sync, "One round with the control APIs now"],
  ["POST", "/v1/reload",                "control", NO_QUERY, NO_BODY, actions.reload, "Read the configuration again"],
  ["POST", "/v1/enroll",                "control", NO_QUERY, actions.enrollBody, actions.enroll, "Register this node with a key that is used once"],
  ["POST", "/v1/adopt",                 "control", UNDO,     NO_BODY, actions.adopt,      "This board is still the same node, though its hardware changed"],
  ["POST", "/v1/reset-identity",        "control", NO_QUERY, NO_BODY, actions.resetIdentity, "Become a new node"],
  ["POST", "/v1/leave",                 "control", API,      NO_BODY, actions.leave,      "Forget token and node id"],
  ["GET",  "/v1/diagnostics",           "control", NO_QUERY, NO_BODY, readDiagnostics,    "Make a diagnostics bundle without secrets, a .tar.gz"],
  ["GET",  "/v1/check",                 "control", API,      NO_BODY, reads.readCheck, "DNS, proxy, TLS, clock, credential and permission of the control APIs"],
  ["GET",  "/v1/preview/{api}",         "control", NO_QUERY, NO_BODY, reads.readPreview, "The very bytes a control API would be sent"],
  ["GET",  "/metrics",                  "status",  NO_QUERY, NO_BODY, reads.readMetrics, "Prometheus text, version 0.0.4"],
  ["GET",  "/healthz",                  "status",  NO_QUERY, NO_BODY, reads.readHealth, "200 when the agent works, else 503 with the reason"],
] as const satisfies readonly Row[];

/** For the types of wire/answers.ts and of the command line's client. */
export type RouteRow = (typeof ROWS)[number];

export const ROUTES: readonly Route[] = ROWS.map(([method, path, socket, query, body, run, summary]) => ({
  method,
  path,
  socket,
  query,
  body,
  run,
  summary,
}));

interface Compiled {
  readonly route: Route;
  readonly parts: readonly string[];
}

const COMPILED: readonly Compiled[] = ROUTES.map((route) => ({ route, parts: route.path.split("/") }));

/** The routes whose pattern fits a path (several: one a method), with the decoded parameters. */
export function routesAt(path: string): { route: Route; params: Record<string, string> }[] {
  const parts = path.split("/");
  return COMPILED.flatMap(({ route, parts: pattern }) => {
    const params = matchParts(pattern, parts);
    return params === null ? [] : [{ route, params }];
  });
}

function matchParts(pattern: readonly string[], parts: readonly string[]): Record<string, string> | null {
  if (pattern.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const part = parts[index] as string;
    if (!wanted.startsWith("{")) {
      if (wanted !== part) return null;
      continue;
    }
    const value = decoded(part);
    if (value === null || value === "") return null;
    params[wanted.slice(1, -1)] = value;
  }
  return params;
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null; // a broken percent sign names nothing
  }
}
