/** The Debian packages themselves: what is in them, the same bytes each time, lintian, and arm64's executable run. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { arm64Root } from "../../../scripts/lab/arm64-root.mjs";
import { agentVersion, makePackage } from "../../../scripts/package/package.mjs";
import { ROOT } from "../../../scripts/paths.mjs";
import { temporaryFolder } from "../../support/machine/tree.ts";

const DEBIAN = { x64: "amd64", arm64: "arm64" } as const;
type Arch = keyof typeof DEBIAN;

function installed(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

function lacking(arch: Arch): string | null {
  if (!installed("dpkg-deb")) return "packages are made by dpkg-deb, and this is no Debian";
  return existsSync(join(ROOT, `dist/foundry-agent-linux-${arch}`))
    ? null
    : "there is no executable: apt-get install binutils binutils-aarch64-linux-gnu";
}

/** What a minimal installation must have, with mode and owner; man pages and completion come and go. */
const CONTENT = [
  "-rw-r--r-- root/root ./etc/foundry-agent/config.toml",
  "-rw-r--r-- root/root ./etc/foundry-agent/policy.toml",
  "drwxr-xr-x root/root ./etc/foundry-agent/conf.d/",
  "drwxr-xr-x root/root ./etc/foundry-agent/facts.d/",
  "-rwxr-xr-x root/root ./usr/bin/foundry-agent",
  "-rw-r--r-- root/root ./usr/lib/systemd/system/foundry-agent.service",
  "-rw-r--r-- root/root ./usr/lib/systemd/system/foundry-agent-helper.service",
  "-rw-r--r-- root/root ./usr/lib/systemd/system/foundry-agent-helper.socket",
  "-rw-r--r-- root/root ./usr/lib/sysusers.d/foundry-agent.conf",
  "-rw-r--r-- root/root ./usr/lib/tmpfiles.d/foundry-agent.conf",
  "-rw-r--r-- root/root ./usr/share/doc/foundry-agent/copyright",
  "-rw-r--r-- root/root ./usr/share/doc/foundry-agent/policy.toml",
  "-rw-r--r-- root/root ./usr/share/doc/foundry-agent/monitoring/foundry-agent.rules.yml",
  "-rw-r--r-- root/root ./usr/share/doc/foundry-agent/monitoring/grafana-dashboard.json",
  "-rw-r--r-- root/root ./usr/share/doc/foundry-agent/changelog.Debian.gz",
  "-rw-r--r-- root/root ./usr/share/doc/foundry-agent/THIRD-PARTY-LICENCES.txt.gz",
];

describe.each(["x64", "arm64"] as const)("the Debian package for %s", (arch) => {
  const reason = lacking(arch);
  let made: string | null = null;
  const deb = (): string => {
    made ??= makePackage({ form: "deb", arch, out: join(ROOT, "build/packages-lab"), quick: true });
    return made;
  };

  function real(name: string, test: () => void): void {
    it(name, (context) => {
      if (reason !== null) return context.skip(reason);
      test();
    });
  }

  real("has its files with the right modes, all root's", () => {
    const lines = execFileSync("dpkg-deb", ["--contents", deb()], { encoding: "utf8" }).trim().split("\n");
    const found = lines.map((line) => {
      const [mode, owner, , , , ...path] = line.split(/\s+/);
      return `${mode} ${owner} ${path.join(" ")}`;
    });
    expect(found).toEqual(expect.arrayContaining(CONTENT));
    expect(found.filter((line) => !/^[-d]rw[-x]r-[-x]r-[-x] root\/root /.test(line))).toEqual([]);
    // Nothing that other packages have, nothing outside of what a package may have.
    expect(
      found.filter((line) => /^-/.test(line) && !/ \.\/(?:etc\/foundry-agent|usr)\//.test(line)),
    ).toEqual([]);
  });

  real("says what it needs, and keeps what an administrator changed", () => {
    const field = (name: string) =>
      execFileSync("dpkg-deb", ["--field", deb(), name], { encoding: "utf8" }).trim();
    expect(field("Architecture")).toBe(DEBIAN[arch]);
    expect(field("Version")).toBe(`${agentVersion()}-1`);
    for (const needed of ["libatomic1", "libc6 (>= 2.28)", "libgcc-s1", "libstdc++6"])
      expect(field("Depends").split(", ")).toContain(needed);
    expect(field("Recommends").split(", ").sort()).toEqual(["ipmitool", "lldpd", "smartmontools"]);
    const info = (file: string) => execFileSync("dpkg-deb", ["--info", deb(), file], { encoding: "utf8" });
    expect(info("conffiles")).toBe("/etc/foundry-agent/config.toml\n/etc/foundry-agent/policy.toml\n");
    for (const script of ["postinst", "prerm", "postrm"])
      expect(info(script)).toMatch(/^#!\/bin\/sh\n[\s\S]*\nset -e\n/);
  });

  real("is the same to the byte when it is made again", () => {
    const again = makePackage({ form: "deb", arch, out: temporaryFolder(), quick: true });
    expect(readFileSync(again).equals(readFileSync(deb()))).toBe(true);
  });

  it("has nothing that lintian finds", (context) => {
    if (reason !== null) return context.skip(reason);
    if (!installed("lintian")) return context.skip("apt-get install lintian");
    const { status, stdout } = spawnSync(
      "lintian",
      ["--allow-root", "--fail-on=error,warning,info", "--display-info", "--pedantic", deb()],
      { encoding: "utf8" },
    );
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });

  it("brings an executable that runs", (context) => {
    if (reason !== null) return context.skip(reason);
    const native = arch === process.arch;
    if (!native && arch === "x64") return context.skip("x86-64 is not emulated here");
    if (!native && !installed("qemu-aarch64")) return context.skip("apt-get install qemu-user");
    const folder = join(temporaryFolder(), "root");
    mkdirSync(folder);
    execFileSync("dpkg-deb", ["--extract", deb(), folder]);
    const program = join(folder, "usr/bin/foundry-agent");
    const said = execFileSync(
      native ? program : "qemu-aarch64",
      [...(native ? [] : [program]), "version", "--json"],
      {
        encoding: "utf8",
        env: { PATH: process.env.PATH ?? "", ...(native ? {} : { QEMU_LD_PREFIX: arm64Root() }) },
      },
    );
    expect(JSON.parse(said)).toMatchObject({ arch, version: agentVersion() });
  });
});
