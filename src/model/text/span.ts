/** A limit or a wait within a sentence, so that nobody has to count the zeros of milliseconds. */

/** "850 ms", "1.5 s", "10 s", "300 s"; of any number of milliseconds. Pure. */
export function span(ms: number): string {
  return Math.round(ms) < 1_000 ? `${Math.round(ms)} ms` : `${Number((ms / 1_000).toFixed(1))} s`;
}
