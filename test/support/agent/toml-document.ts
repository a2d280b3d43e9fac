/** Random TOML documents that use every way of writing a key or a value, with the line of each key. */
import fc from "fast-check";
import { keyText } from "../../../src/system/toml-locate.ts";

type Path = (string | number)[];

/** Every table, array, item and value of a parsed document, by keyText. */
export function pathsOf(value: unknown, path: Path = [], found = new Set<string>()): Set<string> {
  if (path.length > 0) found.add(keyText(path));
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) pathsOf(item, [...path, index], found);
  else if (value !== null && typeof value === "object" && !(value instanceof Date))
    for (const [key, item] of Object.entries(value)) pathsOf(item, [...path, key], found);
  return found;
}

const TEXTS = [
  '"plain"',
  '"a # ] } = \\" \\\\"',
  "'raw \\ # ]'",
  '""',
  "''",
  '"""\nno = "key"\n[no]\n\\"""\n"" x"""',
  '""""quoted""""',
  "'''\n[[no]]\nno = 1\n'' '''",
  "''''x'''''",
  '"\\u0041\\e"',
];
const SCALARS = [...TEXTS, "1", "0x1f", "1_000.5e3", "inf", "true", "1979-05-27 07:32:00Z", "07:32:00"];
const NAMES: ((n: number) => [string, string])[] = [
  (n) => [`k${n}`, `k${n}`],
  (n) => [`"q ${n}"`, `q ${n}`],
  (n) => [`'l.${n}#='`, `l.${n}#=`],
  (n) => [`"\\u006b\\"${n}"`, `k"${n}`],
  (n) => [`${n}`, `${n}`],
];

/** A document written statement by statement, together with the line of each first mention. */
export function writeDocument(g: fc.GeneratorValue): { text: string; lines: Map<string, number> } {
  let text = g(fc.constantFrom, "", "\ufeff", "# head\n");
  let unique = 0;
  const lines = new Map<string, number>();
  const put = (piece: string): void => {
    text += piece;
  };
  const line = (): number => text.split("\n").length;
  const note = (path: Path, at = line()): void => {
    const key = keyText(path);
    if (!lines.has(key)) lines.set(key, at);
  };
  const blank = (): string => g(fc.constantFrom, "", " ", "\t ");
  const space = (): string => g(fc.constantFrom, "", " ", "\n", "\r\n  ", " # ] } , = x\n");
  const end = (): string => g(fc.constantFrom, "\n", "\r\n", " # note = 1\n", "\n\n# [x]\n\n");
  const name = (): [string, string] => {
    const make = g(fc.constantFrom, ...NAMES) as (n: number) => [string, string];
    return make(unique++);
  };
  function keys(): { written: string; path: string[] } {
    const parts = Array.from({ length: g(fc.integer, { min: 1, max: 3 }) as number }, name);
    const dot = `${blank()}.${blank()}`;
    return { written: parts.map(([raw]) => raw).join(dot), path: parts.map(([, plain]) => plain) };
  }
  function value(path: Path, depth: number): void {
    const kind = depth > 2 ? 0 : (g(fc.integer, { min: 0, max: 4 }) as number);
    if (kind === 3) {
      put("[");
      const count = g(fc.integer, { min: 0, max: 3 }) as number;
      for (let index = 0; index < count; index++) {
        put(space());
        note([...path, index]);
        value([...path, index], depth + 1);
        put(`${space()}${index < count - 1 ? "," : g(fc.constantFrom, "", ",")}`);
      }
      put(`${space()}]`);
    } else if (kind === 4) {
      put("{");
      const count = g(fc.integer, { min: 0, max: 3 }) as number;
      for (let index = 0; index < count; index++) {
        put(space());
        assignment(path, depth);
        put(`${space()}${index < count - 1 ? "," : ""}`);
      }
      put(`${space()}}`);
    } else put(g(fc.constantFrom, ...SCALARS) as string);
  }
  function assignment(prefix: Path, depth: number): void {
    const { written, path } = keys();
    for (let length = 1; length <= path.length; length++) note([...prefix, ...path.slice(0, length)]);
    put(`${written}${blank()}=${blank()}`);
    value([...prefix, ...path], depth + 1);
  }
  let prefix: Path = [];
  const arrays: { written: string; path: string[]; length: number }[] = [];
  const statements = g(fc.integer, { min: 0, max: 8 }) as number;
  for (let index = 0; index < statements; index++) {
    put(blank());
    const kind = g(fc.integer, { min: 0, max: 6 }) as number;
    if (kind === 0) {
      const { written, path } = keys();
      for (let length = 1; length <= path.length; length++) note(path.slice(0, length));
      put(`[${blank()}${written}${blank()}]`);
      prefix = path;
    } else if (kind === 1) {
      const again = arrays.length > 0 && (g(fc.boolean) as boolean);
      const table = again ? arrays[0] : { ...keys(), length: 0 };
      if (table === undefined) continue;
      if (!again) arrays.push(table);
      for (let length = 1; length <= table.path.length; length++) note(table.path.slice(0, length));
      prefix = [...table.path, table.length++];
      note(prefix);
      put(`[[${table.written}]]`);
    } else if (kind === 2 && arrays[0] !== undefined) {
      // A sub-table of the array's last item.
      const { written, path } = keys();
      const base = [...arrays[0].path, arrays[0].length - 1];
      for (let length = 1; length <= path.length; length++) note([...base, ...path.slice(0, length)]);
      put(`[${arrays[0].written}.${written}]`);
      prefix = [...base, ...path];
    } else assignment(prefix, 0);
    put(end());
  }
  return { text, lines };
}
