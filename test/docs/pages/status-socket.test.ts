/** docs/status-socket.md, typed word for word by an ordinary user, whose sockets are in an empty home. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startSandbox } from "../../support/net/nodefoundry.ts";
import { newcomer } from "../../support/text/pages/newcomer.ts";
import { blocksOf } from "../../support/text/pages/page.ts";

const CURL = spawnSync("curl", ["--version"]).status === 0;

test.skipIf(!CURL)("the page about the sockets does what it says", async () => {
  const { url, keys, close } = await startSandbox();
  onTestFinished(close);
  const someone = newcomer({
    happens: "foundry-agent reboot --test",
    instead: (home) => ({ "/run/foundry-agent": `${home}/.local/state/foundry-agent` }),
  });
  someone.write(".config/foundry-agent/config.toml", `[nodefoundry]\nurl = ${JSON.stringify(url)}\n`);
  someone.write("enrol.key", keys.test);
  const said = someone.background("foundry-agent run");
  await eventually(() => said().includes("ready"));
  await someone.type("foundry-agent enroll --key-file enrol.key");
  const before = someone.printed().length;
  const blocks = blocksOf("status-socket.md");
  for (const [index, block] of blocks.entries()) await someone.follow(block, blocks[index + 1]);
  const printed = someone.printed().slice(before);
  for (const words of [
    '"status":',
    '"name":"drives"',
    "foundry_agent_healthy ",
    '"dry_run":',
    '"released":{',
  ])
    expect(printed).toContain(words);
  expect(existsSync(join(someone.home, "bundle.tar.gz"))).toBe(true);
});
