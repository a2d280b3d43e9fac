/**
 * Every route of the two sockets: one row each, in the order of docs/status-socket.openapi.json, which is
 * made from this table. A row with `socket: "control"` does not exist on status.sock.
 */
import type { GenericSchema } from "valibot";
import * as commandShapes from "../wire/command-schemas.ts";
import * as shapes from "../wire/schemas.ts";
import * as actions from "./actions.ts";
import * as onCommands from "./commands.ts";
import { GZIP_TYPE, readDiagnostics } from "./diagnostics.ts";
import * as onDrives from "./drives.ts";
import * as reads from "./reads.ts";
import type { AnswerShape, Route } from "./route.ts";

const data = (schema: GenericSchema): AnswerShape => ({ kind: "data", schema: () => schema });
const plain = (type: string): AnswerShape => ({ kind: "text", type });
const archive: AnswerShape = { kind: "bytes", type: GZIP_TYPE };
const list = (schema: GenericSchema): AnswerShape => data(shapes.listOf(schema));

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
const status = data(shapes.statusSchema);
const report: AnswerShape = { kind: "data", schema: shapes.reportSchema };
const section: AnswerShape = { kind: "data", schema: shapes.anySectionSchema };
const drives = data(shapes.drivesSchema);
const drive = data(shapes.driveSchema);
const commands = list(commandShapes.commandSchema);
const command = data(commandShapes.commandSchema);
const submitted = data(commandShapes.submittedSchema);
const held = data(commandShapes.holdSchema);
const released = data(commandShapes.releaseSchema);
const events: AnswerShape = { kind: "lines", schema: shapes.eventSchema };
const conditions = list(shapes.conditionSchema);
const done = data(shapes.doneSchema);

type Row = [
  Route["method"],
  Route["path"],
  Route["socket"],
  Route["query"],
  Route["body"],
  Route["answer"],
  Route["run"],
  Route["summary"],
];

// biome-ignore format: a table is read by its columns
const ROWS: readonly Row[] = [
  ["GET",  "/v1/status",                "status",  NO_QUERY, NO_BODY, status,     reads.readStatus,   "How the agent and this node fare"],
  ["GET",  "/v1/report",                "status",  RAW,      NO_BODY, report,     reads.readReport,   "The last report, all sections"],
  ["GET",  "/v1/report/{section}",      "status",  RAW,      NO_BODY, section,    reads.readSection,  "One section of the report"],
  ["GET",  "/v1/drives",                "status",  NO_QUERY, NO_BODY, drives,     onDrives.readDrives, "Drives that are there, with their health, and drives that were"],
  ["GET",  "/v1/drives/{drive}",        "status",  OWN_WORDS, NO_BODY, drive,     onDrives.readDrive,  "One drive by device name, on control.sock also by serial number or id"],
  ["POST", "/v1/drives/{serial}/forget", "control", NO_QUERY, NO_BODY, done,      actions.forgetDrive, "A missing drive will not come back: forget it"],
  ["POST", "/v1/drives/{drive}/locate", "control", NO_QUERY, onDrives.locateBody, data(shapes.locateSchema), onDrives.locateDrive, "Let the light on a drive's slot blink for a time, or end it"],
  ["POST", "/v1/drives/{drive}/smart-test", "control", NO_QUERY, onDrives.selfTestBody, data(shapes.selfTestSchema), onDrives.testDrive, "Start or end a self-test inside a drive"],
  ["GET",  "/v1/commands",              "status",  LIMIT,    NO_BODY, commands,   onCommands.readCommands, "Commands received, newest first"],
  ["GET",  "/v1/commands/{id}",         "status",  NO_QUERY, NO_BODY, command,    onCommands.readCommand, "One command; on control.sock with its history"],
  ["POST", "/v1/commands",              "control", NO_QUERY, onCommands.submitBody, submitted, onCommands.submitCommand, "Take a command into the journal, or say what stands in its way"],
  ["POST", "/v1/commands/{id}/cancel",  "control", NO_QUERY, NO_BODY, command,   onCommands.cancelCommand, "Cancel a command, as long as that is possible"],
  ["POST", "/v1/hold",                  "control", NO_QUERY, onCommands.holdBody, held, onCommands.hold, "Every command from the network waits until it is released"],
  ["POST", "/v1/release",               "control", NO_QUERY, NO_BODY, released,  onCommands.release, "End the hold"],
  ["GET",  "/v1/events",                "status",  EVENTS,   NO_BODY, events,     reads.readEvents,   "Events, one JSON object a line, oldest first"],
  ["GET",  "/v1/why",                   "status",  NO_QUERY, NO_BODY, conditions, reads.readWhyAll,   "Everything that is wrong now, worst first"],
  ["GET",  "/v1/why/{id}",              "status",  NO_QUERY, NO_BODY, data(shapes.whySchema), reads.readWhy, "What is known of a condition, section or command"],
  ["POST", "/v1/collect",               "control", COLLECT,  NO_BODY, data(shapes.collectSchema), actions.collect, "Run one collector now"],
  ["POST", "/v1/sync",                  "control", API,      NO_BODY, data(shapes.syncSchema), actions.sync, "One round with the control APIs now"],
  ["POST", "/v1/reload",                "control", NO_QUERY, NO_BODY, data(shapes.reloadSchema), actions.reload, "Read the configuration again"],
  ["POST", "/v1/enroll",                "control", NO_QUERY, actions.enrollBody, data(shapes.enrollSchema), actions.enroll, "Register this node with a key that is used once"],
  ["POST", "/v1/adopt",                 "control", UNDO,     NO_BODY, done,       actions.adopt,      "This board is still the same node, though its hardware changed"],
  ["POST", "/v1/reset-identity",        "control", NO_QUERY, NO_BODY, done,       actions.resetIdentity, "Become a new node"],
  ["POST", "/v1/leave",                 "control", API,      NO_BODY, done,       actions.leave,      "Forget token and node id"],
  ["GET",  "/v1/diagnostics",           "control", NO_QUERY, NO_BODY, archive,   readDiagnostics,    "Make a diagnostics bundle without secrets, a .tar.gz"],
  ["GET",  "/v1/check",                 "control", API,      NO_BODY, data(shapes.checkSchema), reads.readCheck, "DNS, proxy, TLS, clock, credential and permission of the control APIs"],
  ["GET",  "/v1/preview/{api}",         "control", NO_QUERY, NO_BODY, plain("application/json"), reads.readPreview, "The very bytes a control API would be sent"],
  ["GET",  "/metrics",                  "status",  NO_QUERY, NO_BODY, plain("text/plain"), reads.readMetrics, "Prometheus text, version 0.0.4"],
  ["GET",  "/healthz",                  "status",  NO_QUERY, NO_BODY, data(shapes.healthSchema), reads.readHealth, "200 when the agent works, else 503 with the reason"],
];

export const ROUTES: readonly Route[] = ROWS.map(
  ([method, path, socket, query, body, answer, run, summary]) => ({
    method,
    path,
    socket,
    query,
    body,
    answer,
    run,
    summary,
  }),
);

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
