/**
 * The one place where a text gets a capital and a full stop, or loses them. Errors are said in lower case and without
 * a full stop, conditions and reasons as sentences; whoever puts one into the other asks for the form it needs here,
 * and nobody reads a sentence back: what is data is carried beside it.
 */

/** Words that have a capital only because a sentence begins with them; any other may be a name. */
const ORDINARY = /^(?:The|An?|No|It|This|There)(?= )/;

/** With a capital and an end: "needs the helper" → "Needs the helper." */
export function sentence(text: string): string {
  return ended(text.charAt(0).toUpperCase() + text.slice(1));
}

/** With a full stop where it has no end, and begun as it is: for what stands behind a colon or a program's name. */
export function ended(text: string): string {
  return /[.!?\u2026]$/.test(text) ? text : `${text}.`;
}

/** Whether it has the end of a sentence. */
export function isSentence(text: string): boolean {
  return ended(text) === text;
}

/** For use within another sentence: without full stop, and without the capital of a beginning that is no name. */
export function clause(text: string): string {
  return text.replace(/\.+$/, "").replace(ORDINARY, (word) => word.toLowerCase());
}

/** "1 event", "3 events": the one place where a count meets its noun. @param shown the count as it is written */
export function plural(count: number, noun: string, nouns = `${noun}s`, shown = String(count)): string {
  return `${shown} ${count === 1 ? noun : nouns}`;
}
