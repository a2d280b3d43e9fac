/**
 * docs/status-socket.openapi.json, made from the route table and the collectors' schemas. Never called by the
 * daemon.
 */
import type { GenericSchema } from "valibot";
import type { AnyCollector } from "../../src/collectors/index.ts";
import type { Route } from "../../src/sockets/routes/route.ts";
import { type AnswerShape, answerOf } from "../../src/sockets/wire/answers.ts";
import { driveSchema } from "../../src/sockets/wire/drive-schemas.ts";
import { errorSchema } from "../../src/sockets/wire/schemas.ts";
import { type JsonSchema, jsonSchema } from "./json-schema.ts";

const ABOUT = `What the agent answers on its two unix sockets, for example:

    curl --unix-socket /run/foundry-agent/status.sock http://localhost/v1/status

status.sock is for every local user: it only shows, and serial numbers and other identifying fields (named by x-sensitive, by section) are null there. control.sock is for root and the group foundry-admin. Operations with x-socket "control" are answered there only. Fields are only ever added: ignore those you do not know. Requests with a foreign Host, an Origin or a Referer are refused.`;

/** OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0). */
export function openApiDocument(routes: readonly Route[], collectors: readonly AnyCollector[]): JsonSchema {
  const named: Record<string, GenericSchema> = {
    drive: driveSchema,
    ...Object.fromEntries(collectors.map(({ name, schema }) => [`section_${name}`, schema])),
  };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = operation(route, collectors, named);
    paths[route.path] = path;
  }
  return {
    openapi: "3.1.0",
    info: { title: "foundry-agent status and control sockets", version: "1", description: ABOUT },
    servers: [{ url: "http://localhost", description: "Over a unix socket" }],
    paths,
    components: {
      schemas: {
        error: {
          type: "object",
          properties: { error: jsonSchema(errorSchema) },
          required: ["error"],
        },
        drive: jsonSchema(driveSchema),
        ...Object.fromEntries(
          collectors.map(({ name, summary, schema }) => [
            `section_${name}`,
            { description: summary, ...jsonSchema(schema) },
          ]),
        ),
      },
    },
    "x-sensitive": Object.fromEntries(
      collectors.flatMap(({ name, sensitive }) => (sensitive.length === 0 ? [] : [[name, sensitive]])),
    ),
  };
}

function operation(
  route: Route,
  collectors: readonly AnyCollector[],
  named: Readonly<Record<string, GenericSchema>>,
): JsonSchema {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(route.query).map(([name, description]) => ({
    name,
    in: "query",
    description,
    schema: { type: "string" },
  }));
  const parameters = [...inPath, ...inQuery];
  return {
    operationId: operationId(route),
    summary: route.summary,
    "x-socket": route.socket,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === null
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: jsonSchema(route.body, { closed: true }) } },
          },
        }),
    responses: {
      "200": { description: "As asked", content: content(answerOf(route), collectors, named) },
      default: {
        description: "What went wrong, and what to do next",
        content: { "application/json": { schema: { $ref: "#/components/schemas/error" } } },
      },
    },
  };
}

function content(
  answer: AnswerShape,
  collectors: readonly AnyCollector[],
  named: Readonly<Record<string, GenericSchema>>,
): JsonSchema {
  if (answer.kind === "text") return { [answer.type]: { schema: { type: "string" } } };
  if (answer.kind === "bytes") return { [answer.type]: {} };
  if (answer.kind === "lines")
    return { "application/x-ndjson": { schema: jsonSchema(answer.schema, { named }) } };
  const data = jsonSchema(answer.schema(collectors), { named });
  return { "application/json": { schema: { type: "object", properties: { data }, required: ["data"] } } };
}

/** `get_v1_drives_drive`, stable for generated clients. */
function operationId({ method, path }: Route): string {
  return `${method.toLowerCase()}${path.replace(/[^a-z0-9]+/gi, "_").replace(/_$/, "")}`;
}
