/**
 * What each route answers: the one table of shapes, beside the table of routes (routes/table.ts) and held to it by
 * the compiler. The documents are made from it, tests hold every real answer against it, and the command line's
 * client has its types from here. The daemon itself never loads this file or the schemas: half a megabyte of heap.
 */
import type { GenericSchema, InferOutput } from "valibot";
import * as v from "valibot";
import { cephSchema } from "../../collectors/ceph/schema.ts";
import type { AnyCollector } from "../../collectors/index.ts";
import { NetworkSchema } from "../../collectors/network/schema.ts";
import type { Data, Route } from "../routes/route.ts";
import type { RouteRow } from "../routes/table.ts";
import * as commands from "./command-schemas.ts";
import * as drives from "./drive-schemas.ts";
import * as shapes from "./schemas.ts";

export type AnswerShape =
  | { readonly kind: "data"; readonly schema: (collectors: readonly AnyCollector[]) => GenericSchema }
  | { readonly kind: "lines"; readonly schema: GenericSchema }
  | { readonly kind: "text"; readonly type: string }
  | { readonly kind: "bytes"; readonly type: string };

const data = <S extends GenericSchema>(schema: S) => ({ kind: "data", schema: () => schema }) as const;
const plain = (type: string) => ({ kind: "text", type }) as const;

/** `GET /v1/status`. */
export type RouteKey = RouteRow extends infer Row
  ? Row extends readonly [infer Method extends string, infer Path extends string, ...unknown[]]
    ? `${Method} ${Path}`
    : never
  : never;

const ANSWERS = {
  "GET /v1/status": data(shapes.statusSchema),
  "GET /v1/report": { kind: "data", schema: shapes.reportSchema },
  "GET /v1/report/{section}": { kind: "data", schema: shapes.anySectionSchema },
  // Those that are read and not only shown.
  "GET /v1/report/ceph": data(shapes.sectionSchema(cephSchema)),
  "GET /v1/report/network": data(shapes.sectionSchema(NetworkSchema)),
  "GET /v1/drives": data(drives.drivesSchema),
  "GET /v1/drives/{drive}": data(drives.driveAnswerSchema),
  "POST /v1/drives/{serial}/forget": data(shapes.doneSchema),
  "POST /v1/drives/{drive}/ack": data(drives.ackSchema),
  "POST /v1/drives/{drive}/unack": data(drives.ackSchema),
  "POST /v1/drives/{drive}/locate": data(shapes.locateSchema),
  "POST /v1/drives/{drive}/smart-test": data(shapes.selfTestSchema),
  "GET /v1/commands": data(v.array(commands.commandSchema)),
  "GET /v1/commands/{id}": data(commands.commandSchema),
  "POST /v1/commands": data(commands.submittedSchema),
  "POST /v1/commands/{id}/cancel": data(commands.commandSchema),
  "POST /v1/commands/{id}/ack": data(shapes.doneSchema),
  "POST /v1/hold": data(commands.holdSchema),
  "POST /v1/release": data(commands.releaseSchema),
  "GET /v1/events": { kind: "lines", schema: shapes.eventSchema },
  "GET /v1/why": data(v.array(shapes.conditionSchema)),
  "GET /v1/why/{id}": data(shapes.whySchema),
  "POST /v1/collect": data(shapes.collectSchema),
  "POST /v1/sync": data(shapes.syncSchema),
  "POST /v1/reload": data(shapes.reloadSchema),
  "POST /v1/enroll": data(shapes.enrollSchema),
  "POST /v1/adopt": data(shapes.doneSchema),
  "POST /v1/reset-identity": data(shapes.doneSchema),
  "POST /v1/leave": data(shapes.doneSchema),
  "GET /v1/diagnostics": { kind: "bytes", type: "application/gzip" },
  "GET /v1/check": data(shapes.checkSchema),
  "GET /v1/preview/{api}": plain("application/json"),
  "GET /metrics": plain("text/plain"),
  "GET /healthz": data(shapes.healthSchema),
} as const satisfies Record<RouteKey, AnswerShape> & Partial<Record<`GET /v1/report/${string}`, AnswerShape>>;

type Answers = typeof ANSWERS;
export type AnswerKey = keyof Answers;

/** The keys of what is answered in this way. */
export type KeysOf<Kind extends AnswerShape["kind"]> = {
  [K in AnswerKey]: Answers[K]["kind"] extends Kind ? K : never;
}[AnswerKey];

/** `data` of the answer, or one line of a stream. */
export type AnswerOf<K extends AnswerKey> = Answers[K] extends { readonly schema: infer S }
  ? S extends GenericSchema
    ? InferOutput<S>
    : S extends (collectors: readonly AnyCollector[]) => GenericSchema
      ? InferOutput<ReturnType<S>>
      : never
  : never;

/** What the handler of a route says that it answers; never where it passes on a text that is there already. */
type Told<K extends RouteKey> = RouteRow extends infer Row
  ? Row extends readonly [infer Method extends string, infer Path extends string, ...unknown[]]
    ? K extends `${Method} ${Path}`
      ? DataIn<Awaited<ReturnType<Extract<Row[5], Route["run"]>>>>
      : never
    : never
  : never;
type DataIn<A> = A extends Data<infer T> ? T : never;

type DataKey = RouteKey & KeysOf<"data">;
/** Routes whose handler answers with something else than the table says: the compiler names them here. */
type Drifted = { [K in DataKey]: [Told<K>] extends [AnswerOf<K>] ? never : K }[DataKey];
export type Held<None extends never = Drifted> = None;

/** The shape of what a route answers. */
export function answerOf({ method, path }: Pick<Route, "method" | "path">): AnswerShape {
  const shape = Object.entries<AnswerShape>(ANSWERS).find(([key]) => key === `${method} ${path}`)?.[1];
  if (shape === undefined) throw new RangeError(`${method} ${path} has no shape in answers.ts`);
  return shape;
}
