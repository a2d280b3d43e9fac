/** The archive for hosts without dpkg: the executable, units, configuration, install.sh and uninstall.sh. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../paths.mjs";
import { handOut, layFiles, licencesFile, packagingFiles, settle, UNITS } from "./files.mjs";

/** @returns path of `foundry-agent-VERSION-linux-ARCH.tar.xz` in `out` */
export function buildArchive({ arch, executable, version, date, work, out, level }) {
  const name = `foundry-agent-${version}-linux-${arch}`;
  const target = join(out, `${name}.tar.xz`);
  const at = (path) => join(ROOT, path);
  layFiles(join(work, name), [
    ["foundry-agent", { from: executable }, 0o755],
    ["install.sh", { from: at("packaging/tar/install.sh") }, 0o755],
    ["uninstall.sh", { from: at("packaging/tar/uninstall.sh") }, 0o755],
    ["config.toml", { from: at("packaging/config.toml") }],
    ["policy.toml", { from: at("packaging/policy.toml") }],
    ["LICENSE", { from: at("LICENSE") }],
    ["THIRD-PARTY-LICENCES.txt", { from: licencesFile() }],
    ...[...UNITS, "sysusers.conf", "tmpfiles.conf"].map((file) => [
      `systemd/${file}`,
      { from: at(`systemd/${file}`) },
    ]),
    ...["man", "completion"].flatMap((kind) =>
      packagingFiles(kind).map(({ name, path }) => [`${kind}/${name}`, { from: path }]),
    ),
  ]);
  settle(join(work, name), date);
  const tar = join(work, `${name}.tar`);
  execFileSync(
    "tar",
    [
      ...["--create", `--file=${tar}`, `--directory=${work}`, "--format=gnu", "--sort=name"],
      ...["--owner=0", "--group=0", "--numeric-owner", name],
    ],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  // In blocks of a fixed size the result does not depend on the number of cores.
  execFileSync("xz", [`-${level}`, "--threads=2", "--block-size=24MiB", tar], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return handOut(`${tar}.xz`, target);
}
