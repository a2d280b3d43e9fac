/**
 * Section `local`: a site's own facts (rack, owner, contract), written by its people or their tools into
 * /etc/foundry-agent/facts.d/*.json. Data only: nothing in there is ever executed, what is too big, too deep
 * or could have been put there by just anybody is left out and named. What not everybody may read there is not shown to
 * everybody here either.
 */
import type { ConditionDraft } from "../../model/condition.ts";
import { errorCode } from "../../model/errors.ts";
import type { Files } from "../../system/files.ts";
import type { Machine } from "../../system/machine.ts";
import { type Collector, noData } from "../collector.ts";
import { parseExact } from "./exact-json.ts";
import { type Local, localSchema, shownToOthers } from "./shown.ts";

type Problem = Local["problems"][number];

export const FACTS_FOLDER = "/etc/foundry-agent/facts.d";
const MAX_FILE_BYTES = 16 * 1024;
const MAX_TOTAL_BYTES = 64 * 1024;
const MAX_FILES = 32;
const MAX_DEPTH = 8;
const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const WORLD_WRITABLE = 0o002;
const WORLD_READABLE = 0o004;
const WORLD_SEARCHABLE = 0o001;
export function localCollector(): Collector<Local> {
  return {
    name: "local",
    summary: "A site's own facts from /etc/foundry-agent/facts.d/*.json.",
    everyMs: 300_000,
    timeoutMs: 5_000,
    schema: localSchema,
    volatile: {},
    sensitive: [],
    metrics: [
      {
        name: "foundry_agent_local_facts",
        help: "Files of local facts that are reported.",
        type: "gauge",
        samples: ({ facts }) => [{ value: facts.length }],
      },
      {
        name: "foundry_agent_local_fact_problems",
        help: "Files of local facts that are left out.",
        type: "gauge",
        samples: ({ problems }) => [{ value: problems.length }],
      },
    ],
    table: {
      columns: ["fact", "data"],
      rows: ({ facts, problems }) => [
        ...facts.map(({ name, data, hidden }) => [name, hidden ?? cut(JSON.stringify(data))]),
        ...problems.map(({ file, text }) => [file, `left out: ${text}`]),
      ],
    },
    glance: ({ facts, problems }) =>
      [...facts.map(({ name }) => name), ...problems.map(({ file }) => `${file} left out`)].join(", ") ||
      "no facts",
    others: shownToOthers,
    conditions: ({ problems, closed_folder }) =>
      problems.map((one, index) =>
        problemCondition(one, closed_folder === true ? `file ${index + 1}` : null),
      ),
    collect: ({ machine }) => readFacts(machine),
  };
}

function readFacts(machine: Machine): Local | ReturnType<typeof noData> {
  const { files } = machine;
  const folder = checkFolder(machine);
  if (folder === "none")
    return noData(
      "There are no local facts.",
      `Put JSON files into ${FACTS_FOLDER} to report facts of your own.`,
    );
  if (folder !== null) return { facts: [], problems: [folder] };
  const isEntered = FOLDERS_ABOVE.every((one) => (modeOf(files, one) & WORLD_SEARCHABLE) !== 0);
  const isListed = isEntered && (modeOf(files, FACTS_FOLDER) & WORLD_READABLE) !== 0;
  const isSearched = isEntered && (modeOf(files, FACTS_FOLDER) & WORLD_SEARCHABLE) !== 0;

  const facts: Local["facts"] = [];
  const problems: Problem[] = [];
  const names = files.list(FACTS_FOLDER).filter((name) => name.endsWith(".json") && !name.startsWith("."));
  let total = 0;
  for (const [index, file] of names.entries()) {
    if (index >= MAX_FILES) {
      problems.push(
        problem("facts.d", "too_many", `only the first ${MAX_FILES} of ${names.length} files are read`),
      );
      break;
    }
    const content = readFact(machine, file, MAX_TOTAL_BYTES - total);
    if ("code" in content) problems.push(content);
    else {
      total += content.bytes;
      const closed = isSearched && content.isOpen ? {} : { closed: true as const };
      facts.push({ name: file.slice(0, -".json".length), data: content.data, ...closed });
    }
  }
  if (facts.length === 0 && problems.length === 0)
    return noData(
      "There are no local facts.",
      `Put JSON files into ${FACTS_FOLDER} to report facts of your own.`,
    );
  return { facts, problems, ...(isListed ? {} : { closed_folder: true as const }) };
}

const FOLDERS_ABOVE = ["/etc", "/etc/foundry-agent"];

/** 0: not known, which is closed. */
function modeOf(files: Files, path: string): number {
  return files.info(path)?.mode ?? 0;
}

function checkFolder({ files, uid }: Machine): Problem | "none" | null {
  const info = files.info(FACTS_FOLDER);
  if (info === null)
    return files.presence(FACTS_FOLDER) === "no"
      ? "none"
      : problem("facts.d", "not_readable", "the folder can't be looked into");
  if (!info.isDirectory) return problem("facts.d", "not_a_folder", "it is not a folder");
  if (info.mode & WORLD_WRITABLE || !trusted(info.uid, uid))
    return problem(
      "facts.d",
      "not_trusted",
      "anybody, or somebody else than root, may write into the folder",
    );
  // Listing gives nothing both for an empty folder and a forbidden one; opening it tells them apart.
  try {
    files.read(FACTS_FOLDER, 1);
  } catch (error) {
    const code = errorCode(error);
    if (code === "EACCES" || code === "EPERM")
      return problem("facts.d", "not_readable", "the folder can't be looked into");
  }
  return null;
}

function readFact(
  { files, uid }: Machine,
  file: string,
  bytesLeft: number,
): Problem | { data: Record<string, unknown>; bytes: number; isOpen: boolean } {
  const path = `${FACTS_FOLDER}/${file}`;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/.test(file))
    return problem(safe(file), "bad_name", "its name has characters other than letters, digits, . _ -");
  if (files.link(path) !== null) return problem(file, "symbolic_link", "it is a symbolic link");
  const info = files.info(path);
  if (info === null) return problem(file, "not_readable", "it can't be read");
  if ((info.mode & FILE_TYPE) !== REGULAR) return problem(file, "not_a_file", "it is not a regular file");
  if (info.mode & WORLD_WRITABLE) return problem(file, "not_trusted", "anybody may write it");
  if (!trusted(info.uid, uid)) return problem(file, "not_trusted", "it belongs to somebody else than root");
  const text = readText(files, path);
  if (text === null) return problem(file, "not_readable", "it can't be read");
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_FILE_BYTES)
    return problem(file, "too_big", `it is bigger than ${MAX_FILE_BYTES / 1024} KiB`);
  if (bytes > bytesLeft)
    return problem(
      file,
      "too_big_together",
      `all facts together are bigger than ${MAX_TOTAL_BYTES / 1024} KiB`,
    );
  const data = parseFact(text);
  if (typeof data === "string") return problem(file, "bad_json", data);
  // Before and after it was read: who closed it meanwhile meant what stands in it now.
  return { data, bytes, isOpen: (info.mode & modeOf(files, path) & WORLD_READABLE) !== 0 };
}

/** The object in a fact file, or the sentence that says what is wrong with it. */
export function parseFact(text: string): Record<string, unknown> | string {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch {
    return "it is not valid JSON";
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "it is not a JSON object";
  return wrongInside(value, 1) ?? (value as Record<string, unknown>);
}

function wrongInside(value: object, depth: number): string | null {
  if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`;
  // An own key of this name becomes the prototype of the copies that are made on the way to a report.
  if (Object.hasOwn(value, "__proto__")) return "it has a key __proto__";
  for (const inner of Object.values(value)) {
    const wrong = inner !== null && typeof inner === "object" ? wrongInside(inner, depth + 1) : null;
    if (wrong !== null) return wrong;
  }
  return null;
}

function readText(files: Files, path: string): string | null {
  try {
    return files.read(path, MAX_FILE_BYTES + 1);
  } catch {
    return null;
  }
}

function trusted(owner: number, uid: number): boolean {
  return owner === 0 || owner === uid;
}

function problem(file: string, code: string, text: string): Problem {
  return { file, code, text };
}

/** @param unnamed stands for the file's name where not everybody may see that */
function problemCondition({ file, code, text }: Problem, unnamed: string | null): ConditionDraft {
  const isFolder = file === "facts.d";
  if (unnamed !== null && !isFolder)
    return {
      code: "local_fact_ignored",
      subject: unnamed,
      severity: "warning",
      text: `A file in ${FACTS_FOLDER} is left out of the report: ${text}.`,
      nextStep: "sudo foundry-agent report local",
    };
  const path = isFolder ? FACTS_FOLDER : `${FACTS_FOLDER}/${file}`;
  const steps: Record<string, string> = {
    bad_json: `python3 -m json.tool ${path}`,
    not_trusted: `chown root: ${path} && chmod o-w ${path}`,
  };
  return {
    code: "local_fact_ignored",
    subject: file,
    severity: "warning",
    text: `${path} is left out of the report: ${text}.`,
    nextStep: steps[code] ?? `ls -ld ${path}`,
  };
}

function safe(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]+/g, "?").slice(0, 100);
}

function cut(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
