/**
 * What of a section may change without being news (`volatile`), and what must not leave the root-only
 * sockets (`sensitive`): both are named by path patterns, walked here.
 *
 * Pattern: field names joined by dots; `name[key]` steps into every item of an array, and `key` names the
 * item's identifying field (`name[]`: by position). `load.one`, `drives[id].temperature_c`, `counters.*`.
 */
export interface Tolerance {
  /** Left when |now − delivered| > abs … */
  readonly abs?: number;
  /** … or > rel × |delivered|. With both, both must be exceeded. Neither: any change. */
  readonly rel?: number;
}

/** A number that is no news however far it drifts; it goes out when its section does. */
export const NEVER_NEWS: Tolerance = { abs: Number.MAX_VALUE };

export type Scalar = number | string | boolean | null;

interface Node {
  readonly children: Map<string, Node>;
  key: string | null;
  tolerance: Tolerance | null;
}

/** A set of patterns, compiled once. */
export interface Facets {
  readonly root: Node;
}

const NONE: Tolerance = {};

/** Compile patterns; a list means "no tolerance wanted" (as for `sensitive`). */
export function compileFacets(patterns: Readonly<Record<string, Tolerance>> | readonly string[]): Facets {
  const root = node();
  const entries: [string, Tolerance][] = Array.isArray(patterns)
    ? patterns.map((pattern): [string, Tolerance] => [pattern, NONE])
    : Object.entries(patterns as Readonly<Record<string, Tolerance>>);
  for (const [pattern, tolerance] of entries) {
    let at = root;
    for (const part of pattern.split(".")) {
      const array = /^(.*)\[(.*)\]$/.exec(part);
      at = child(at, array ? (array[1] as string) : part);
      if (array) {
        at.key = array[2] as string;
        at = child(at, "[]");
      }
    }
    at.tolerance = tolerance;
  }
  return { root };
}

/**
 * JSON text of what is stable in `value`: keys in their given order, volatile fields left out.
 * Two values with the same text are the same news.
 */
export function stableText(value: unknown, facets: Facets): string {
  return facets.root.children.size === 0 ? JSON.stringify(value) : textOf(value, facets.root);
}

/** The volatile fields, flat: `{"drives[wwn-0x5].temperature_c": 31}`; objects under a pattern are flattened too. */
export function volatileOf(value: unknown, facets: Facets): Map<string, Scalar> {
  const found = new Map<string, Scalar>();
  gather(value, facets.root, "", found);
  return found;
}

/** Whether `now` left the tolerance around what was last delivered; a new or vanished value always did. */
export function leftTolerance(now: Scalar, delivered: Scalar | undefined, tolerance: Tolerance): boolean {
  if (delivered === undefined) return true;
  if (typeof now !== "number" || typeof delivered !== "number") return now !== delivered;
  const distance = Math.abs(now - delivered);
  if (distance === 0) return false;
  if (tolerance.abs !== undefined && distance <= tolerance.abs) return false;
  if (tolerance.rel !== undefined && distance <= tolerance.rel * Math.abs(delivered)) return false;
  return true;
}

/** The tolerance that holds for a flat path made by `volatileOf`. */
export function toleranceAt(path: string, facets: Facets): Tolerance {
  let at: Node | undefined = facets.root;
  let last: Tolerance = NONE;
  // Item keys may hold any character, so they are taken off before the dots are split.
  for (const part of path.replace(/\[(?:[^\]\\]|\\.)*\]/g, ".[]").split(".")) {
    at = at.children.get(part) ?? at.children.get("*");
    if (at === undefined) break;
    if (at.tolerance) last = at.tolerance;
  }
  return last;
}

/** A copy with every named field set to null (scalars) or left out (objects and arrays). */
export function redact(value: unknown, facets: Facets): unknown {
  return redactNode(value, facets.root);
}

/** A copy without the named fields (`report.exclude`). */
export function omit(value: unknown, facets: Facets): unknown {
  return omitNode(value, facets.root);
}

function node(): Node {
  return { children: new Map(), key: null, tolerance: null };
}

function child(parent: Node, name: string): Node {
  let found = parent.children.get(name);
  if (!found) {
    found = node();
    parent.children.set(name, found);
  }
  return found;
}

function under(at: Node, key: string): Node | undefined {
  return at.children.get(key) ?? at.children.get("*");
}

function textOf(value: unknown, at: Node): string {
  if (Array.isArray(value)) {
    const items = at.children.get("[]");
    if (!items) return JSON.stringify(value);
    return `[${value.map((item) => textOf(item, items)).join(",")}]`;
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  let text = "";
  for (const key of Object.keys(value)) {
    const field = (value as Record<string, unknown>)[key];
    if (field === undefined) continue;
    const next = under(at, key);
    if (next?.tolerance) continue;
    const inner = next ? textOf(field, next) : JSON.stringify(field);
    if (inner !== undefined) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${inner}`;
  }
  return `{${text}}`;
}

function gather(value: unknown, at: Node, path: string, found: Map<string, Scalar>): void {
  if (at.tolerance) {
    flatten(value, path, found);
    return;
  }
  if (value === null || typeof value !== "object") return;
  if (Array.isArray(value)) {
    const items = at.children.get("[]");
    if (!items) return;
    value.forEach((item, index) => {
      gather(item, items, `${path}[${itemKey(item, index, at.key)}]`, found);
    });
    return;
  }
  for (const [name, next] of at.children) {
    const record = value as Record<string, unknown>;
    if (name === "*") {
      for (const key of Object.keys(record)) {
        if (!at.children.has(key)) gather(record[key], next, join(path, key), found);
      }
    } else if (record[name] !== undefined) gather(record[name], next, join(path, name), found);
  }
}

function flatten(value: unknown, path: string, found: Map<string, Scalar>): void {
  if (value === undefined) return;
  if (value === null || typeof value !== "object") {
    found.set(path, value as Scalar);
    return;
  }
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) flatten(item, `${path}[${index}]`, found);
  else for (const [key, item] of Object.entries(value)) flatten(item, join(path, key), found);
}

function itemKey(item: unknown, index: number, key: string | null): string {
  if (key !== null && key !== "" && item !== null && typeof item === "object") {
    const name = (item as Record<string, unknown>)[key];
    if (typeof name === "string" || typeof name === "number") return String(name).replace(/[\\\]]/g, "\\$&");
  }
  return String(index);
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function redactNode(value: unknown, at: Node): unknown {
  if (Array.isArray(value)) {
    const items = at.children.get("[]");
    return items ? value.map((item) => redactNode(item, items)) : value;
  }
  if (value === null || typeof value !== "object") return value;
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    const next = under(at, key);
    if (!next) copy[key] = field;
    else if (!next.tolerance) copy[key] = redactNode(field, next);
    else if (field === null || typeof field !== "object") copy[key] = null;
  }
  return copy;
}

function omitNode(value: unknown, at: Node): unknown {
  if (Array.isArray(value)) {
    const items = at.children.get("[]");
    return items ? value.map((item) => omitNode(item, items)) : value;
  }
  if (value === null || typeof value !== "object") return value;
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    const next = under(at, key);
    if (!next) copy[key] = field;
    else if (!next.tolerance) copy[key] = omitNode(field, next);
  }
  return copy;
}
