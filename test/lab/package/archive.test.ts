/**
 * The archive for hosts without dpkg, on a host that may be written to in /etc, /var, /run and one chosen folder
 * only: /usr and every other folder are mounted read-only.
 */
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SUITES } from "../../../scripts/lab/nspawn-root.mjs";
import { makePackage } from "../../../scripts/package/package.mjs";
import { ROOT } from "../../../scripts/paths.mjs";
import { type Booted, boot, bootLacking } from "../nspawn.ts";

const LACKING = bootLacking();
const PREFIX = "/srv/edge/foundry-agent";
const OUT = join(ROOT, "build/packages-lab");

describe.each(SUITES.map((suite) => ({ suite })))(
  "the archive on $suite with /usr read-only",
  ({ suite }) => {
    let system: Booted;
    let unpacked = "";

    beforeAll(async () => {
      if (LACKING !== null) return;
      const archive = makePackage({ form: "tar", arch: "x64", out: OUT, quick: true });
      const name = basename(archive, ".tar.xz");
      system = await boot(suite, {
        before(folder) {
          mkdirSync(join(folder, "srv/edge"));
          execFileSync("tar", ["-xf", archive, "-C", join(folder, "var/tmp")]);
        },
      });
      for (const path of ["/usr", "/opt", "/home", "/root", "/srv"]) await mount(path, "ro");
      await mount("/srv/edge", "rw");
      unpacked = `/var/tmp/${name}`;
    });
    afterAll(async () => await system?.stop());

    function real(name: string, test: () => Promise<void>): void {
      it(name, async (context) => {
        if (LACKING !== null) return context.skip(LACKING);
        await test();
      });
    }

    async function mount(path: string, how: "ro" | "rw"): Promise<void> {
      await system.ok("mount", "--bind", path, path);
      await system.ok("mount", "-o", `remount,bind,${how}`, path);
    }
    const here = (path: string) => existsSync(system.root + path);
    const active = (unit: string) => system.unit(unit, "ActiveState");

    real("refuses a folder that others can write to, or that services can't see", async () => {
      for (const path of ["/usr/x", "/opt/x", "/srv/x"])
        expect((await system.run("touch", path)).said).toContain("Read-only file system");
      await system.ok("chmod", "0777", "/srv/edge");
      expect(await system.run(`${unpacked}/install.sh`, "--prefix", PREFIX)).toMatchObject({
        status: 1,
        said: "install.sh: /srv/edge can be written by others than root; type: chmod go-w /srv/edge\n",
      });
      await system.ok("chmod", "0755", "/srv/edge");
      const home = await system.run(`${unpacked}/install.sh`, "--prefix", "/home/agent");
      expect(home).toMatchObject({ status: 1 });
      expect(home.said).toContain("the services can't see /home/agent");
      expect(here("/etc/foundry-agent")).toBe(false);
    });

    real("installs, enables and starts both units from the chosen folder", async () => {
      await system.ok(`${unpacked}/install.sh`, "--prefix", PREFIX);
      expect([await active("foundry-agent"), await active("foundry-agent-helper.socket")]).toEqual([
        "active",
        "active",
      ]);
      expect((await system.run("systemctl", "is-enabled", "foundry-agent")).stdout).toBe("enabled\n");
      expect(await system.run(`${PREFIX}/bin/foundry-agent`, "status")).toMatchObject({ status: 0 });
      // Asked through the helper: without it there is no such section.
      const { sections } = JSON.parse(await system.ok(`${PREFIX}/bin/foundry-agent`, "report", "--json"));
      expect(sections.hardware.state).toBe("ok");
      const found = await system.ok(
        "stat",
        "-c",
        "%U:%G %a",
        "/run/foundry-agent/control.sock",
        "/var/lib/foundry-agent",
      );
      expect(found).toBe("foundry-agent:foundry-admin 660\nfoundry-agent:foundry-agent 700\n");
      const verified = await system.run(
        ...["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes"],
        ...["foundry-agent.service", "foundry-agent-helper.service", "foundry-agent-helper.socket"],
      );
      expect(verified).toMatchObject({ status: 0, said: "" });
    });

    real("run again is an upgrade that keeps configuration and state", async () => {
      appendFileSync(`${system.root}/etc/foundry-agent/config.toml`, "\n# mine\n");
      const before = await system.unit("foundry-agent", "MainPID");
      const said = await system.ok(`${unpacked}/install.sh`, "--prefix", PREFIX);
      expect(said).toContain("config.toml stays as it is; the one of this release is config.toml.dist");
      expect(await system.unit("foundry-agent", "MainPID")).not.toBe(before);
      expect(await active("foundry-agent")).toBe("active");
      expect(readFileSync(`${system.root}/etc/foundry-agent/config.toml`, "utf8")).toMatch(/\n# mine\n$/);
      const elsewhere = await system.run(`${unpacked}/install.sh`, "--prefix", "/srv/edge/other");
      expect(elsewhere.said).toContain(`it is installed in ${PREFIX} already`);
      expect(here("/srv/edge/other")).toBe(false);
    });

    real("is taken away again, what is not its own left alone", async () => {
      writeFileSync(`${system.root}${PREFIX}/note.txt`, "mine\n");
      // From the archive's folder it would take away what lies there.
      expect((await system.run(`${unpacked}/uninstall.sh`)).status).toBe(1);
      const said = await system.ok(`${PREFIX}/uninstall.sh`);
      expect(said).toMatch(/configuration \(\/etc\/foundry-agent\) and state .* stay/);
      expect(said).not.toContain("registered");
      expect(await active("foundry-agent")).toBe("inactive");
      expect(readdirSync(`${system.root}${PREFIX}`)).toEqual(["note.txt"]);
      for (const path of ["/etc/foundry-agent/config.toml", "/var/lib/foundry-agent/state.db"])
        expect(here(path), path).toBe(true);
    });

    real("leaves nothing when it is purged", async () => {
      await system.ok("rm", `${PREFIX}/note.txt`);
      await system.ok(`${unpacked}/install.sh`, "--prefix", PREFIX);
      await system.ok(`${PREFIX}/uninstall.sh`, "--purge");
      const left = await system.run(
        "find",
        "/etc",
        "/var",
        "/run",
        "/srv",
        "-name",
        "*foundry*",
        "-not",
        "-path",
        "/var/tmp/*",
      );
      expect(left.stdout).toBe("");
      expect((await system.run("systemctl", "--failed", "--quiet")).stdout).toBe("");
    });
  },
);
