/** docs/install.md, typed word for word on a fresh Debian: the package from its install to its purge, then the archive. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agentVersion, makePackage } from "../../../scripts/package/package.mjs";
import { ROOT } from "../../../scripts/paths.mjs";
import { type Sandbox, startSandbox } from "../../support/net/nodefoundry.ts";
import { type Block, blocksOf, commandsOf, patternOf } from "../../support/text/pages/page.ts";
import { type Booted, boot, bootLacking, labDeb } from "../nspawn.ts";

const LACKING = bootLacking();
const BLOCKS = blocksOf("install.md");

describe("the page about installing", () => {
  let system: Booted;
  let sandbox: Sandbox;
  let hostname = "";

  beforeAll(async () => {
    if (LACKING !== null) return;
    sandbox = await startSandbox();
    system = await boot("trixie");
    // A minimal system has neither a name for itself nor sudo; root is who types.
    writeFileSync(`${system.root}/etc/hosts`, "127.0.0.1 localhost\n");
    hostname = (await system.ok("cat", "/proc/sys/kernel/hostname")).trim();
    writeFileSync(`${system.root}/usr/bin/sudo`, '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
    copyFileSync("/usr/bin/xz", `${system.root}/usr/bin/xz`);
    // Who types says yes; what is recommended is fetched from a mirror, and the page says how it is without.
    const apt = 'APT::Install-Recommends "false";\nAPT::Get::Assume-Yes "true";\n';
    writeFileSync(`${system.root}/etc/apt/apt.conf.d/99lab`, apt);
    await system.bring(labDeb());
    const out = `${ROOT}/build/packages-lab`;
    await system.bring(makePackage({ form: "tar", arch: "x64", out, quick: true }));
  });
  afterAll(async () => {
    await system?.stop();
    await sandbox?.close();
  });

  const here = (text: string): string =>
    text
      .replaceAll("VERSION", agentVersion())
      .replaceAll("https://nodefoundry.example.net", sandbox.url.replace("127.0.0.1", "localhost"))
      .replaceAll("node07", hostname);

  async function type(command: string, typed = false): Promise<string> {
    const line = here(command).replace(/\s+#.*$/, "");
    const answer = /leave/.test(line) ? "y" : sandbox.keys.enrol;
    // What asks wants a terminal; what reads /dev/stdin takes it from a pipe.
    const asked = /^(?:sudo )?foundry-agent /.test(line)
      ? `(sleep 2; printf '${answer}\\r\\n'; sleep 1) | script -qec '${line}' /dev/null`
      : `echo '${answer}' | ${line}`;
    const { status, said } = await system.run(
      "bash",
      "-c",
      `cd /var/tmp && export TERM=dumb; ${typed ? asked : line}`,
    );
    if (status !== 0) throw new Error(`${line}: ended with ${status}:\n${said}`);
    return said;
  }

  async function follow(block: Block): Promise<string> {
    const { role, text } = block;
    let said = "";
    if (role === "console") {
      for (const part of text.split(/^(?=\$ )/m)) {
        const [command = "", ...shown] = part.trimEnd().split("\n");
        said = await type(command.slice(2));
        // Without what the package recommends there is more to know than the page shows.
        const usual = said.replace(/^What is wrong or worth knowing\n(?: .*\n)+\n/m, "");
        expect(usual).toMatch(patternOf(here(shown.join("\n"))));
      }
      return said;
    }
    const file = /^follow=(\/.*)$/.exec(role)?.[1];
    if (file !== undefined) {
      mkdirSync(dirname(system.root + file), { recursive: true });
      writeFileSync(system.root + file, `${here(text)}\n`, { mode: 0o644 });
      return said;
    }
    // One terminal: what changes the folder holds for the next line.
    if (role === "archive")
      return await type(
        commandsOf(text)
          .map((line) => line.replace(/\s+#.*$/, ""))
          .join(" && "),
      );
    for (const command of commandsOf(text)) said += await type(command, role === "follow=typed");
    return said;
  }

  const isArchive = ({ role, text }: Block): boolean => role === "archive" || text.includes("/opt/");

  for (const block of BLOCKS.filter((one) => one.role !== "example" && !isArchive(one)))
    it(`line ${block.line}: ${block.text.split("\n")[0]}`, async (context) => {
      if (LACKING !== null) return context.skip(LACKING);
      const said = await follow(block);
      if (block.text.includes("apt purge")) {
        // It has left before.
        expect(said).not.toContain("registered");
        expect(said).toContain("the group foundry-admin stay");
      }
    });

  for (const block of BLOCKS.filter(isArchive).filter(({ role }) => role !== "example"))
    it(`the archive, line ${block.line}`, async (context) => {
      if (LACKING !== null) return context.skip(LACKING);
      await follow(block);
      expect(await type("sudo /opt/foundry-agent/uninstall.sh --purge")).toContain(
        "the group foundry-admin stay",
      );
    });
});
