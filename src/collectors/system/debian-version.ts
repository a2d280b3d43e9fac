/**
 * Version order of Debian packages (deb-version(7)) and what a kernel release name is made of, to tell
 * whether a newer kernel of the same flavour is installed than the one that runs.
 */

/** Negative, 0 or positive as `a` is older than, as old as or newer than `b`, by Debian's rules. */
export function compareVersions(a: string, b: string): number {
  const left = splitVersion(a);
  const right = splitVersion(b);
  return (
    left.epoch - right.epoch ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  );
}

export interface KernelRelease {
  /** What is ordered: `6.1.0-18`, `6.6.51+rpt`. */
  readonly version: string;
  /** What must be the same for two to be compared: `amd64`, `cloud-amd64`, `rpi-v8`, `rpi-2712`, `x86_64`. */
  readonly flavour: string;
}

/**
 * `6.1.0-18-amd64` → 6.1.0-18 and amd64; `6.6.51+rpt-rpi-2712` → 6.6.51+rpt and rpi-2712;
 * `5.14.0-362.el9.x86_64` → 5.14.0-362.el9 and x86_64. Null for what does not begin with a number.
 */
export function parseKernelRelease(release: string): KernelRelease | null {
  if (release.length > 200 || !/^\d+\.\d/.test(release)) return null;
  const parts = release.split("-");
  // The flavour begins at the first part that begins with a letter: everything before is ordered.
  const flavourAt = parts.findIndex((part, index) => index > 0 && /^[A-Za-z]/.test(part));
  if (flavourAt > 0)
    return { version: parts.slice(0, flavourAt).join("-"), flavour: parts.slice(flavourAt).join("-") };
  const arch = /\.((?:x86_64|aarch64|ppc64le|s390x|riscv64)(?:[+.]\S*)?)$/.exec(release);
  if (arch) return { version: release.slice(0, arch.index), flavour: arch[1] as string };
  return { version: release, flavour: "" };
}

/** The newest of `installed` that has the running kernel's flavour and is newer than it, or null. */
export function newerKernel(running: string, installed: readonly string[]): string | null {
  const now = parseKernelRelease(running);
  if (now === null) return null;
  let best: { release: string; version: string } | null = null;
  for (const release of installed) {
    const other = parseKernelRelease(release);
    if (other === null || other.flavour !== now.flavour) continue;
    if (compareVersions(other.version, best?.version ?? now.version) > 0)
      best = { release, version: other.version };
  }
  return best?.release ?? null;
}

function splitVersion(version: string): { epoch: number; upstream: string; revision: string } {
  const colon = version.indexOf(":");
  const epoch = colon < 0 ? 0 : Number.parseInt(version.slice(0, colon), 10) || 0;
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  if (dash < 0) return { epoch, upstream: rest, revision: "" };
  return { epoch, upstream: rest.slice(0, dash), revision: rest.slice(dash + 1) };
}

/** Non-digits by rank (`~` before the end, letters before the rest), digits by value, in turns. */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const difference = rank(a, i) - rank(b, j);
      if (difference !== 0) return difference;
      i++;
      j++;
    }
    const left = digits(a, i);
    const right = digits(b, j);
    i += left.length;
    j += right.length;
    const x = left.replace(/^0+/, "");
    const y = right.replace(/^0+/, "");
    if (x.length !== y.length) return x.length - y.length;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function digits(text: string, from: number): string {
  let to = from;
  while (to < text.length && isDigit(text, to)) to++;
  return text.slice(from, to);
}

function rank(text: string, at: number): number {
  if (at >= text.length || isDigit(text, at)) return 0;
  const char = text.charAt(at);
  if (char === "~") return -1;
  return /[A-Za-z]/.test(char) ? char.charCodeAt(0) : char.charCodeAt(0) + 256;
}
