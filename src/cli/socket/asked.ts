/** What may be asked of the daemon by which path, and what comes of it: types only, from the daemon's own tables. */
import type { GenericSchema, InferInput } from "valibot";
import type { RouteRow } from "../../sockets/routes/table.ts";
import type { AnswerKey, AnswerOf, AnswerShape, KeysOf } from "../../sockets/wire/answers.ts";

type Method = "GET" | "POST";

/** Paths with `{name}` for their parameters, which `params` gives. */
export type PathOf<M extends Method, K extends AnswerShape["kind"]> =
  KeysOf<K> extends infer Key ? (Key extends `${M} ${infer Path}` ? Path : never) : never;

export type AnswerAt<M extends Method, Path extends string> = AnswerOf<Extract<`${M} ${Path}`, AnswerKey>>;

type RowAt<M extends Method, Path extends string> = Extract<RouteRow, readonly [M, Path, ...unknown[]]>;

type ParamsIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamsIn<Rest>
  : never;

/** Parts of the path, of the query (undefined: left out) and the body, as far as the route has them. */
export type Asked<M extends Method, Path extends string> = ([ParamsIn<Path>] extends [never]
  ? unknown
  : { readonly params: Readonly<Record<ParamsIn<Path>, string>> }) &
  (RowAt<M, Path> extends readonly [M, Path, unknown, infer Query, infer Body, ...unknown[]]
    ? {
        readonly query?: { readonly [Name in keyof Query]?: string | undefined };
      } & (Body extends GenericSchema ? { readonly body: InferInput<Body> } : unknown)
    : unknown);

/** Left out where nothing has to be said. */
export type AskedOf<M extends Method, Path extends string> =
  object extends Asked<M, Path> ? [asked?: Asked<M, Path>] : [asked: Asked<M, Path>];
