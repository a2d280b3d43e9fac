/**
 * What of the configuration stands in files that not every user may read: it is not for everybody on the node by way of
 * the agent either, which may read them.
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { LoadedConfig } from "./config.ts";

const WORLD_READABLE = 0o004;
const WORLD_SEARCHABLE = 0o001;

/** Whether somebody who is neither owner nor of the group can't read a file. What can't be looked at is closed. */
function isClosed(path: string): boolean {
  try {
    if ((statSync(path).mode & WORLD_READABLE) === 0) return true;
    for (let folder = dirname(path); folder !== "/"; folder = dirname(folder))
      if ((statSync(folder).mode & WORLD_SEARCHABLE) === 0) return true;
    return false;
  } catch {
    return true;
  }
}

/**
 * Addresses, host names, URLs and times from such files, as they may get into a sentence, and what is said of mistakes in
 * them, which quotes what was found. Words of a choice and paths tell nothing.
 */
export function closedValues({ given, origins, problems }: LoadedConfig): readonly string[] {
  const closed = new Map<string, boolean>();
  const found = new Set<string>();
  for (const [key, value] of given) {
    const file = origins.get(key)?.file;
    if (file === undefined) continue;
    const isHidden = closed.get(file) ?? isClosed(file);
    closed.set(file, isHidden);
    if (isHidden) for (const text of [value].flat()) if (typeof text === "string") addTelling(text, found);
  }
  for (const { file, message } of problems) if (isClosed(file)) found.add(message);
  return [...found];
}

function addTelling(text: string, found: Set<string>): void {
  if (text.startsWith("/") || !/[.:@]/.test(text)) return;
  found.add(text);
  if (!URL.canParse(text)) return;
  const { host, hostname } = new URL(text);
  for (const part of [host, hostname]) if (part !== "" && part !== "localhost") found.add(part);
}
