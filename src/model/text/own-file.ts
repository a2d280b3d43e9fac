/** Where a site writes what is its own: beside the shipped config.toml, so that an upgrade never asks about it. */
import { dirname, join } from "node:path";
import { shellWord } from "./shell-word.ts";

/** @param main path of config.toml @returns a drop-in beside it, as a word of a shell */
export function ownFile(main: string): string {
  return shellWord(join(dirname(main), "conf.d", "site.toml"));
}
