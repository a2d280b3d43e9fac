/**
 * Whether two things seen are one drive: only where all agrees that both of them tell, and something that makers
 * give out once is among it. Makers ship batches with one WWN and bridges one serial number for every bay, so none
 * of the two alone says it against the other, the model or the size. Pure.
 */

/** What is told of a drive; null: nothing. */
export interface Told {
  readonly wwn: string | null;
  readonly serial: string | null;
  readonly model: string | null;
  readonly sizeBytes: number | null;
}

/** Shorter ones are alike too easily, cut or turned. */
const LONG = 8;
/** A name that INQUIRY cut (16 characters), without its spaces. */
const CUT_MODEL = 13;

/** Whether something that both tell says that they are two drives. */
export function areTwo(a: Told, b: Told): boolean {
  return (
    differ(a.wwn, b.wwn, isSameWwn) ||
    differ(ownSerial(a), ownSerial(b), isSameSerial) ||
    differ(a.model, b.model, isSameModel) ||
    differ(a.sizeBytes, b.sizeBytes, isSameSize)
  );
}

/** Nothing speaks against it, and the WWN or a serial number that tells anything is the same. */
export function isSameDrive(a: Told, b: Told): boolean {
  if (areTwo(a, b)) return false;
  return (a.wwn !== null && a.wwn === b.wwn) || sharesSerial(a, b);
}

/** Both tell the very same serial number, in whatever spelling, and it is none that stands for "none". */
export function sharesSerial(a: Pick<Told, "serial">, b: Pick<Told, "serial">): boolean {
  if (a.serial === null || b.serial === null || isFiller(a.serial)) return false;
  return plain(a.serial) === plain(b.serial) || isTurned(plain(a.serial), plain(b.serial));
}

/**
 * The same serial number as two ways spell it: spaces, case, the bytes of each word turned (some bridges), and with
 * more behind it (SAS drives add the site and date where it was made).
 */
export function isSameSerial(a: string, b: string): boolean {
  const [left, right] = [plain(a), plain(b)];
  const [short, long] = left.length < right.length ? [left, right] : [right, left];
  return left === right || (short.length >= LONG && long.startsWith(short)) || isTurned(left, right);
}

function differ<T>(a: T | null, b: T | null, same: (a: T, b: T) => boolean): boolean {
  return a !== null && b !== null && !same(a, b);
}

/** A drive that has failed inside says 0, whatever it was. */
function isSameSize(a: number, b: number): boolean {
  return a === b || a === 0 || b === 0;
}

/** NGUID and EUI-64 of one NVMe namespace say nothing of each other. */
function isSameWwn(a: string, b: string): boolean {
  return a === b || (a.startsWith("eui.") && b.startsWith("eui.") && a.length !== b.length);
}

function isSameModel(a: string, b: string): boolean {
  const [short, long] = [spaced(a), spaced(b)].sort((x, y) => x.length - y.length) as [string, string];
  // "SEAGATE ST4000NM0023" is "ST4000NM0023" with its maker, "WDC WD40EFRX-68W" the same cut.
  return short === long || long.endsWith(` ${short}`) || isCut(short, long);
}

function isCut(short: string, long: string): boolean {
  const [start, whole] = [short.replaceAll(" ", ""), long.replaceAll(" ", "")];
  return start === whole || (start.length >= CUT_MODEL && whole.startsWith(start));
}

/** udev gives the WWN as serial number of a drive that tells none. */
function ownSerial({ serial, wwn }: Told): string | null {
  return serial !== null && wwn !== null && plain(wwn).endsWith(plain(serial)) ? null : serial;
}

/** `0123456789ABCDEF`, `111111`: nobody's. */
function isFiller(serial: string): boolean {
  const text = plain(serial);
  return /^(.)\1{3,}$/.test(text) || (text.length >= 6 && "00123456789ABCDEF0123456789ABCDEF".includes(text));
}

function isTurned(a: string, b: string): boolean {
  if (a.length < LONG || Math.abs(a.length - b.length) > 1) return false;
  return turned(a) === b || turned(b) === a || turned(` ${a}`).trim() === b || turned(` ${b}`).trim() === a;
}

/** ATA gives texts as words, the first character in the high byte. */
function turned(text: string): string {
  return text
    .padEnd(text.length + (text.length % 2))
    .replace(/(.)(.)/g, "$2$1")
    .trim();
}

function plain(text: string): string {
  return text.replace(/[\s_\u0000]/g, "").toUpperCase();
}

function spaced(text: string): string {
  return text
    .replace(/[\s_]+/g, " ")
    .trim()
    .toUpperCase();
}
