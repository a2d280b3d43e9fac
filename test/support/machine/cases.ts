/** Machines of test/fixtures/cases: small ones on which the program was wrong once, made after public bug reports. */
import { readFileSync } from "node:fs";
import type { Tree } from "./tree.ts";

/** @param name of the file without `.tree.json`: `cpu/dual-epyc` */
export function loadCase(name: string): Tree {
  const file = new URL(`../../fixtures/cases/${name}.tree.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Tree;
}
