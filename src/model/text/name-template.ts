/** The name to register under, as a template: which words in braces it may have. */
import { shownKey } from "./scrub.ts";

const KNOWN = /\{(?:hostname|serial)\}/g;

/**
 * What is wrong with a template, or null: braces that are neither {hostname} nor {serial} would stand in the
 * name as they are.
 * @returns a clause without a full stop
 */
export function templateProblem(template: string): string | null {
  const [found] = /\{[^{}]*\}?|\}/.exec(template.replaceAll(KNOWN, "")) ?? [];
  if (found === undefined) return null;
  return `nothing stands for ${shownKey(found)} in a name, only {hostname} and {serial} do`;
}
