/** A path or any argument as one word of a shell line, quoted only where it has to be: next steps are typed as they stand. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
