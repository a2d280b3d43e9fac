/**
 * The lines of packaging/policy.toml that say what each control API may have done, from what it declares; all else
 * in that file is written by hand.
 */
import { CONTROL_APIS } from "../../src/control/index.ts";

/** From behind the line of `local` to the first empty one. */
const PLACE = /(?<=^local = \[.*\]\n)(?:.+\n)*/m;

/** @param present text of the shipped policy @returns as it is to be */
export function policyFile(present: string): string {
  const lines = CONTROL_APIS.map(({ name, title, policy }) => {
    const words = policy.map((word) => JSON.stringify(word)).join(", ");
    return `# ${name}: the ${title} control API.\n${name} = [${words}]\n`;
  });
  return present.replace(PLACE, lines.join(""));
}
