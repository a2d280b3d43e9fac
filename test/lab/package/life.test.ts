/** A package's life on a host: installed, upgraded, removed, purged; what stays each time and what goes. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SUITES } from "../../../scripts/lab/nspawn-root.mjs";
import { agentVersion } from "../../../scripts/package/package.mjs";
import { type Booted, boot, bootLacking, labDeb, until } from "../nspawn.ts";

const LACKING = bootLacking();
/** Later than any of ours, made from the same executable. */
const NEXT = "99.0.0";
const CONFIG = "/etc/foundry-agent/config.toml";

describe.each(SUITES.map((suite) => ({ suite })))("the package on $suite", ({ suite }) => {
  let system: Booted;
  let before: Set<string>;

  beforeAll(async () => {
    if (LACKING !== null) return;
    system = await boot(suite);
    before = new Set(await files());
    await system.ok("dpkg", "-i", await system.bring(labDeb()));
  });
  afterAll(async () => await system?.stop());

  function real(name: string, test: () => Promise<void>): void {
    it(name, async (context) => {
      if (LACKING !== null) return context.skip(LACKING);
      await test();
    });
  }

  /** Every path of the root file system but what Debian itself writes meanwhile. */
  const files = async () =>
    (await system.ok("find", "/", "-xdev", "-not", "-path", "/root/*", "-not", "-path", "/var/log/*"))
      .trim()
      .split("\n")
      .filter(
        (path) =>
          !/^\/(?:var\/(?:lib\/(?:dpkg|systemd|private)|cache)|tmp|var\/tmp|etc\/\.pwd\.lock)/.test(path),
      );
  const here = (path: string) => existsSync(system.root + path);
  const instance = async () =>
    JSON.parse(await system.ok("foundry-agent", "report", "--json")).sections.system.data
      .machine_id as string;
  const version = async () => /^Version: (.*)$/m.exec(await system.ok("dpkg", "-s", "foundry-agent"))?.[1];
  const pid = () => system.unit("foundry-agent", "MainPID");

  real("is upgraded with configuration and state kept, and runs the new version", async () => {
    appendFileSync(system.root + CONFIG, "\n# mine\n");
    writeFileSync(`${system.root}/etc/foundry-agent/conf.d/site.toml`, "[memory]\nhousekeeping = true\n");
    const state = readFileSync(`${system.root}/var/lib/foundry-agent/state.db`).subarray(0, 16);
    expect(state.toString()).toBe("SQLite format 3\0");
    const [first, who] = [await pid(), await instance()];
    await system.ok("dpkg", "-i", await system.bring(labDeb(NEXT)));
    expect(await version()).toBe(`${NEXT}-1`);
    expect(await pid()).not.toBe(first);
    expect(await system.unit("foundry-agent", "ActiveState")).toBe("active");
    expect(readFileSync(system.root + CONFIG, "utf8")).toMatch(/\n# mine\n$/);
    expect(here("/etc/foundry-agent/conf.d/site.toml")).toBe(true);
    expect(await instance()).toBe(who);
    expect(await system.unit("foundry-agent-helper.socket", "ActiveState")).toBe("active");
  });

  real("stays off through an upgrade when it was switched off", async () => {
    await system.ok("systemctl", "disable", "--now", "foundry-agent.service");
    await system.ok("dpkg", "-i", "--force-downgrade", await system.bring(labDeb()));
    expect(await version()).toBe(`${agentVersion()}-1`);
    expect(await system.unit("foundry-agent", "ActiveState")).toBe("inactive");
    expect((await system.run("systemctl", "is-enabled", "foundry-agent.service")).stdout.trim()).toBe(
      "disabled",
    );
    await system.ok("systemctl", "enable", "--now", "foundry-agent.service");
  });

  real("is removed with state and configuration kept, and says what remains to be done", async () => {
    // A light that nobody switched off: the helper wrote it down and is gone.
    const lights = "/var/lib/foundry-agent-helper/lights.json";
    mkdirSync(`${system.root}/var/lib/foundry-agent-helper`, { recursive: true });
    writeFileSync(system.root + lights, '{"v":1,"lights":[]}');
    const main = await pid();
    const { status, said } = await system.run("dpkg", "--remove", "foundry-agent");
    expect(status, said).toBe(0);
    expect(said).toContain("apt purge foundry-agent");
    // It never was registered, and what it says is about what there is.
    expect(said).not.toMatch(/registered/);
    expect(here(`/proc/${main}`)).toBe(false);
    for (const path of ["/var/lib/foundry-agent/state.db", CONFIG, "/etc/foundry-agent/conf.d/site.toml"])
      expect(here(path), path).toBe(true);
    for (const path of ["/usr/bin/foundry-agent", "/run/foundry-agent"]) expect(here(path), path).toBe(false);
  });

  real("leaves nothing after a purge but its users", async () => {
    const { status, said } = await system.run("dpkg", "--purge", "foundry-agent");
    expect(status, said).toBe(0);
    expect(said).toMatch(/user foundry-agent and the group foundry-admin stay/);
    await until("systemd knows no unit of it", async () =>
      (await system.run("systemctl", "list-unit-files", "--no-legend", "foundry-agent*")).said.trim() === ""
        ? true
        : null,
    );
    expect((await files()).filter((path) => !before.has(path))).toEqual([]);
    expect((await system.run("systemctl", "--failed", "--quiet")).stdout).toBe("");
    expect(await system.ok("getent", "shadow", "foundry-agent")).toMatch(/^foundry-agent:[!*]/);
    expect(await system.ok("getent", "passwd", "foundry-agent")).toMatch(/:\/usr\/sbin\/nologin\n$/);
  });
});
