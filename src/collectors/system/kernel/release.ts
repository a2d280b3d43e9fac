/**
 * What a kernel's release name is made of: a version that is ordered by the rules of the distribution that built it, and
 * its line (architecture, flavour, who built it). A kernel of another line is no update of this one, however high its
 * version: a real-time, cloud, debug, UEK or ELRepo kernel is there because somebody wants that one as well.
 */
import { compareDebian } from "./debian-order.ts";
import { compareArch, compareRpm } from "./rpm-order.ts";

/** Whose rules order versions; apk's kernels have numbers only and are ordered as Debian's. */
export type Packaging = "debian" | "rpm" | "arch";

export interface KernelRelease {
  readonly packaging: Packaging;
  /** What is ordered: `6.1.0-18`, `6.6.51+rpt`, `4.18.0-553.5.1.el8_10`, `6.9.1.arch1-1`. */
  readonly version: string;
  /** What must be the same for two to be compared: `cloud-amd64`, `rpi-2712`, `x86_64 el`, `x86_64 el uek`. */
  readonly line: string;
}

const ARCHITECTURE =
  /\.(x86_64|aarch64|ppc64le|ppc64|s390x|riscv64|loongarch64|i[3-6]86|armv[5-8]\w*)((?:[+._-][\w+.-]*)?)$/;
/** Words that a pre-release or a snapshot has in its release beside the distribution's own. */
const SNAPSHOT = /(?:\d{8})?git[0-9a-f]{7,40}|\brc\d+/g;
/** Flavours that carry a number of their own, which rises: `arch1`, `zen2`, `hardened1`, `rt26`, Gentoo's `r1`. */
const COUNTED = /^(arch|zen|hardened|realtime|rt|lqx|xanmod|ck|r)(\d+)$/;
/** ELRepo's kernel-lt stays on one of these, its kernel-ml goes on; both have the same names. */
const LONG_TERM = /^(?:4\.(?:4|9|14|19)|5\.(?:4|10|15)|6\.(?:1|6|12|18))\./;

/**
 * `6.1.0-18-amd64`, `6.6.51+rpt-rpi-2712`, `5.14.0-362.el9.x86_64+rt`, `6.9.1-arch1-1`, … in its parts.
 * @param told by the operating system, where the name alone does not say whose rules hold
 * @returns null for what does not begin with a version: `0-rescue-…`, a file of another kind
 */
export function parseKernelRelease(release: string, told: Packaging | null = null): KernelRelease | null {
  if (release.length > 200 || !/^\d+\.\d/.test(release)) return null;
  const dash = release.indexOf("-");
  const arch = ARCHITECTURE.exec(release);
  if (arch !== null && dash > 0) return rpmRelease(release.slice(0, arch.index), `${arch[1]}${arch[2]}`);
  if (told === "rpm" && /-\d[^-]*\.(?:cm|azl|ph|mga|fc|el)\d+$/.test(release)) return rpmRelease(release, "");
  return dashedRelease(release, told ?? (/-(?:arch|zen|hardened)\d+-\d/.test(release) ? "arch" : "debian"));
}

/** Negative, 0 or positive as `a` is older than, as old as or newer than `b`. Both are of one line. */
export function compareReleases(a: KernelRelease, b: KernelRelease): number {
  if (a.packaging === "rpm") return compareRpm(a.version, b.version);
  return a.packaging === "arch" ? compareArch(a.version, b.version) : compareDebian(a.version, b.version);
}

/** `4.18.0-553.rt7.342.el8_10`: words of the release name the line (el, rt), its numbers are ordered. */
function rpmRelease(version: string, architecture: string): KernelRelease {
  const release = version.slice(version.indexOf("-") + 1);
  const words = new Set(release.replace(SNAPSHOT, "").match(/[A-Za-z]+/g) ?? []);
  const line = [architecture, ...[...words].sort()];
  if (words.has("elrepo")) line.push(LONG_TERM.exec(version)?.[0] ?? "mainline");
  return { packaging: "rpm", version, line: line.filter(Boolean).join(" ") };
}

/** `6.1.0-18-cloud-amd64`, `6.4.0-150600.21-default`, `6.9.1-zen1-1-zen`: parts that are ordered, and names. */
function dashedRelease(release: string, packaging: Packaging): KernelRelease {
  const [first = "", ...parts] = release.split("-");
  let version = first;
  const ordered: string[] = [];
  const names: string[] = [];
  let isCounted = true;
  for (const part of parts) {
    const counted = COUNTED.exec(part);
    if (/^rc\d+$/.test(part)) version += packaging === "arch" ? part : `~${part}`;
    else if (counted !== null) {
      if (packaging === "arch") version += `.${part}`;
      else ordered.push(counted[2] as string);
      names.push(counted[1] as string);
      isCounted = true;
    } else if (isCounted && isOrdered(part)) ordered.push(part);
    else {
      names.push(part);
      // Mageia's `6.6.28-desktop-1.mga9` counts behind the name, `rpi-2712` does not.
      isCounted = packaging === "rpm";
    }
  }
  return {
    packaging,
    version: [version, ...(packaging === "arch" ? ordered.slice(0, 1) : ordered)].join("-"),
    line: [...new Set(names)].join("-"),
  };
}

/** `18`, `0.deb11.17`, `150600.21`; not `686` and `64k`, which name a kind of processor and of page. */
function isOrdered(part: string): boolean {
  return /^\d/.test(part) && !/^(?:[3-6]86|\d+k\w*)$/.test(part);
}

const DEBIAN = new Set(["debian", "ubuntu", "raspbian", "alpine", "postmarketos", "proxmox"]);
const ARCH = new Set(["arch", "archlinux", "archarm", "manjaro", "manjaro-arm", "endeavouros", "cachyos"]);
const RPM = new Set(
  "rhel fedora centos rocky almalinux ol amzn suse opensuse sles sled sle-micro mageia openmandriva openeuler anolis opencloudos azurelinux mariner photon altlinux virtuozzo cloudlinux".split(
    " ",
  ),
);

/** By os-release's ID and ID_LIKE; null: it names none of those. */
export function packagingOf(os: { id: string | null; id_like: string | null } | null): Packaging | null {
  for (const id of `${os?.id ?? ""} ${os?.id_like ?? ""}`.toLowerCase().split(/\s+/)) {
    if (DEBIAN.has(id)) return "debian";
    if (ARCH.has(id)) return "arch";
    if (RPM.has(id) || /^(?:opensuse|suse|sle)/.test(id)) return "rpm";
  }
  return null;
}
