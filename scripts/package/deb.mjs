/**
 * The Debian package, put together by dpkg-deb alone: debhelper would bring build dependencies of the other
 * architecture for what is one executable, three units and some texts.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ROOT } from "../paths.mjs";
import { handOut, layFiles, licencesFile, packagingFiles, settle, UNITS } from "./files.mjs";

const MAINTAINER = "foundry-agent maintainers <maintainers@foundry-agent.invalid>";
const DEBIAN = { x64: "amd64", arm64: "arm64" };
const CONFFILES = ["config.toml", "policy.toml"];
/** For Prometheus and Grafana, described in docs/monitoring.md. */
const MONITORING = ["foundry-agent.rules.yml", "grafana-dashboard.json"];

/** @returns path of `foundry-agent_VERSION-1_ARCH.deb` in `out` */
export function buildDeb({ arch, executable, version, date, work, out, level }) {
  const root = join(work, "root");
  const target = join(out, `foundry-agent_${version}-1_${DEBIAN[arch]}.deb`);
  layFiles(root, contents(executable, version, date));
  layFiles(root, control(root, arch, version));
  settle(root, date);
  const fresh = join(work, "fresh.deb");
  execFileSync("dpkg-deb", ["--root-owner-group", "-Zxz", `-z${level}`, "--build", root, fresh], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(date) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return handOut(fresh, target);
}

function contents(executable, version, date) {
  const at = (path) => ({ from: join(ROOT, path) });
  const doc = "usr/share/doc/foundry-agent";
  return [
    ["usr/bin/foundry-agent", { from: executable }, 0o755],
    ...UNITS.map((unit) => [`usr/lib/systemd/system/${unit}`, at(`systemd/${unit}`)]),
    ["usr/lib/sysusers.d/foundry-agent.conf", at("systemd/sysusers.conf")],
    ["usr/lib/tmpfiles.d/foundry-agent.conf", at("systemd/tmpfiles.conf")],
    ...CONFFILES.map((file) => [`etc/foundry-agent/${file}`, at(`packaging/${file}`)]),
    ["etc/foundry-agent/conf.d", { folder: true }],
    ["etc/foundry-agent/facts.d", { folder: true }],
    [`${doc}/copyright`, { text: copyright() }],
    [`${doc}/changelog.Debian.gz`, { text: packed(changelog(version, date)) }],
    [`${doc}/THIRD-PARTY-LICENCES.txt.gz`, { text: packed(readFileSync(licencesFile())) }],
    // The agent names it where a host has lost its own.
    [`${doc}/policy.toml`, at("packaging/policy.toml")],
    ...MONITORING.map((file) => [`${doc}/monitoring/${file}`, at(`docs/monitoring/${file}`)]),
    ["usr/share/lintian/overrides/foundry-agent", at("packaging/deb/lintian-overrides")],
    ...packagingFiles("man").map(({ name, path }) => [
      `usr/share/man/man${name.split(".").at(-1)}/${name}.gz`,
      { text: packed(readFileSync(path)) },
    ]),
    ...packagingFiles("completion").map(({ name, path }) => [
      name.startsWith("_")
        ? `usr/share/zsh/vendor-completions/${name}`
        : `usr/share/bash-completion/completions/${name.replace(/\.bash$/, "")}`,
      { from: path },
    ]),
  ];
}

/** gzip without name and time (zlib writes neither). */
function packed(text) {
  return gzipSync(text, { level: 9 });
}

function control(root, arch, version) {
  return [
    ["DEBIAN/control", { text: controlFile(root, arch, version) }],
    ["DEBIAN/conffiles", { text: CONFFILES.map((file) => `/etc/foundry-agent/${file}\n`).join("") }],
    ["DEBIAN/md5sums", { text: md5sums(root) }],
    ...["postinst", "prerm", "postrm"].map((script) => [
      `DEBIAN/${script}`,
      { from: join(ROOT, "packaging/deb", script) },
      0o755,
    ]),
  ];
}

/** libc6, libstdc++6: what Node's official executables need. The sysusers alternatives are debhelper's. */
function controlFile(root, arch, version) {
  return `Package: foundry-agent
Version: ${version}-1
Architecture: ${DEBIAN[arch]}
Maintainer: ${MAINTAINER}
Installed-Size: ${Math.ceil(installedBytes(root) / 1024)}
Depends: libatomic1, libc6 (>= 2.28), libgcc-s1, libstdc++6, systemd | systemd-standalone-sysusers | systemd-sysusers
Recommends: ipmitool, lldpd, smartmontools
Suggests: ledmon, pci.ids
Section: admin
Priority: optional
Description: edge agent for Ceph storage nodes and Raspberry Pi devices
 foundry-agent collects what the hardware of a node is and how it fares: drives
 with their SMART state, memory, processors, network, the BMC. It shows that on
 a local socket and reports it to the control APIs that are configured; without
 any it reports to nobody.
 .
 The part on the network runs without any rights. What only root may read is
 read by a helper that systemd starts when it is needed and that holds every
 change against a policy file of root's own.
`;
}

function files(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.startsWith("DEBIAN/"))
    .sort();
}

function installedBytes(root) {
  return files(root).reduce((sum, path) => sum + statSync(join(root, path)).size, 0);
}

/** Conffiles are not in it: dpkg keeps theirs itself. */
function md5sums(root) {
  return files(root)
    .filter((path) => !path.startsWith("etc/"))
    .map(
      (path) =>
        `${createHash("md5")
          .update(readFileSync(join(root, path)))
          .digest("hex")}  ${path}\n`,
    )
    .join("");
}

/** The latest part of CHANGELOG.md in Debian's form. */
function changelog(version, date) {
  const [, latest = ""] = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8").split(/^## .*$/m);
  const points = latest
    .split(/^- /m)
    .map((point) => point.trim().replace(/\s+/g, " "))
    .filter(Boolean);
  const when = new Date(date * 1000).toUTCString().replace("GMT", "+0000");
  const lines = points.flatMap((point) =>
    wrap(point, 76).map((line, n) => `${n === 0 ? "  * " : "    "}${line}`),
  );
  return `foundry-agent (${version}-1) unstable; urgency=medium\n\n${lines.join("\n")}\n\n -- ${MAINTAINER}  ${when}\n`;
}

function wrap(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last !== "" && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

function copyright() {
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: foundry-agent

Files: *
Copyright: 2026 The foundry-agent authors
License: Apache-2.0
 On Debian systems, the text of the Apache License 2.0 is in
 /usr/share/common-licenses/Apache-2.0.
Comment:
 The executable contains Node.js and packages of the npm registry. Their
 licences are in THIRD-PARTY-LICENCES.txt.gz beside this file.
`;
}
