/**
 * Version order of rpm (rpmio/rpmvercmp.c, with `~` and `^`) and of Arch's pacman (lib/libalpm/version.c). Both go
 * through a version segment by segment, numbers by value, and a number is newer than letters; they part where one
 * version is longer: what is left over is newer for rpm (1.0rc1 > 1.0), while letters are older for pacman (1.0rc1 < 1.0).
 */

type Order = -1 | 0 | 1;

/** `VERSION-RELEASE`, with or without `EPOCH:`, as rpm orders packages of one name. */
export function compareRpm(a: string, b: string): Order {
  return compareParts(a, b, compareRpmPart);
}

/** `PKGVER-PKGREL`, with or without `EPOCH:`, as vercmp(8) says. */
export function compareArch(a: string, b: string): Order {
  return compareParts(a, b, compareArchPart);
}

function compareParts(a: string, b: string, compare: (a: string, b: string) => Order): Order {
  const left = splitVersion(a);
  const right = splitVersion(b);
  return (
    compare(left.epoch, right.epoch) ||
    compare(left.version, right.version) ||
    // A release that only one of them names is not compared.
    (left.release === null || right.release === null ? 0 : compare(left.release, right.release))
  );
}

function splitVersion(text: string): { epoch: string; version: string; release: string | null } {
  const colon = text.indexOf(":");
  const epoch = colon > 0 ? text.slice(0, colon) : "0";
  const rest = text.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  if (dash < 0) return { epoch, version: rest, release: null };
  return { epoch, version: rest.slice(0, dash), release: rest.slice(dash + 1) };
}

/** One part of an rpm version. Separators only separate; `~` is before the end, `^` after it and before all else. */
export function compareRpmPart(a: string, b: string): Order {
  if (a === b) return 0;
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    i = skip(a, i, /[^A-Za-z0-9~^]/y);
    j = skip(b, j, /[^A-Za-z0-9~^]/y);
    const [one, two] = [a[i], b[j]];
    if (one === "~" || two === "~") {
      if (one !== "~") return 1;
      if (two !== "~") return -1;
      i++;
      j++;
      continue;
    }
    if (one === "^" || two === "^") {
      if (one === undefined) return -1;
      if (two === undefined) return 1;
      if (one !== "^") return 1;
      if (two !== "^") return -1;
      i++;
      j++;
      continue;
    }
    if (one === undefined || two === undefined) break;
    const found = compareSegment(a, i, b, j);
    if (found.order !== 0) return found.order;
    i = found.i;
    j = found.j;
  }
  if (i >= a.length && j >= b.length) return 0;
  return i < a.length ? 1 : -1;
}

/** One part of a pacman version; separators count: a longer one is newer. */
function compareArchPart(a: string, b: string): Order {
  if (a === b) return 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const [from, other] = [i, j];
    i = skip(a, i, /[^A-Za-z0-9]/y);
    j = skip(b, j, /[^A-Za-z0-9]/y);
    if (i >= a.length || j >= b.length) break;
    if (i - from !== j - other) return i - from < j - other ? -1 : 1;
    const found = compareSegment(a, i, b, j);
    if (found.order !== 0) return found.order;
    i = found.i;
    j = found.j;
  }
  if (i >= a.length && j >= b.length) return 0;
  // Letters that are left over never beat nothing; anything else does.
  const isLetter = (text: string, at: number): boolean => /[A-Za-z]/.test(text[at] ?? "");
  return (i >= a.length && !isLetter(b, j)) || isLetter(a, i) ? -1 : 1;
}

/** The segments of digits or of letters at `i` and `j`, and where they end. */
function compareSegment(a: string, i: number, b: string, j: number): { order: Order; i: number; j: number } {
  const kind = isDigit(a, i) ? /[0-9]/y : /[A-Za-z]/y;
  const [end, other] = [skip(a, i, kind), skip(b, j, kind)];
  // Another kind of segment: numbers are newer than letters.
  if (other === j) return { order: isDigit(a, i) ? 1 : -1, i: end, j: other };
  let left = a.slice(i, end);
  let right = b.slice(j, other);
  if (isDigit(a, i)) {
    left = left.replace(/^0+/, "");
    right = right.replace(/^0+/, "");
    if (left.length !== right.length) return { order: left.length < right.length ? -1 : 1, i: end, j: other };
  }
  return { order: left === right ? 0 : left < right ? -1 : 1, i: end, j: other };
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function skip(text: string, from: number, kind: RegExp): number {
  let at = from;
  for (kind.lastIndex = at; at < text.length && kind.test(text); kind.lastIndex = at) at++;
  return at;
}
