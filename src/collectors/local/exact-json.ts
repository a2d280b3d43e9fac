/**
 * JSON of somebody else without a number changed: one that JavaScript can't hold as it is written (beyond 2^53, more
 * digits than a double has, 1e400, -0) comes out as its text, "12345678901234567890". Every other one is a number.
 */

/** @throws SyntaxError where it is no JSON */
export function parseExact(text: string): unknown {
  // Node gives the reviver the source of each value; most files have nothing that would need it.
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    return typeof value === "number" && source !== undefined && !isExact(value, source) ? source : value;
  });
}

/** Whether a number is the one that is written. Pure. */
export function isExact(value: number, source: string): boolean {
  return Number.isFinite(value) && plain(String(value)) === plain(source) && !Object.is(value, -0);
}

/** Sign, digits without zeros at either end, and where the point is: 1e3, 1000 and 1000.0 are one. */
function plain(source: string): string {
  const found = /^(-?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,9}))?$/i.exec(source);
  if (found === null) return source;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = found;
  const digits = `${whole}${fraction}`;
  const leading = /^0*/.exec(digits)?.[0].length ?? 0;
  const significant = digits.slice(leading).replace(/0+$/, "");
  if (significant === "") return "0";
  return `${sign}${significant}e${whole.length - leading + Number(exponent)}`;
}
