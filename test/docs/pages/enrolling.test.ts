/** docs/enrolling.md, done word for word by an ordinary user, whose agent has its folders in an empty home. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startSandbox } from "../../support/net/nodefoundry.ts";
import { newcomer } from "../../support/text/pages/newcomer.ts";
import { type Block, blocksOf } from "../../support/text/pages/page.ts";

/** Something like a terminal is needed to be asked for a key; util-linux has it. */
const SCRIPT = spawnSync("script", ["--version"]).status === 0;

test.skipIf(!SCRIPT)("the page about enrolling does what it says", async () => {
  const { url, keys, close } = await startSandbox();
  onTestFinished(close);
  const someone = newcomer({
    instead: (home) => ({ "/etc/foundry-agent": `${home}/.config/foundry-agent` }),
    key: () => keys.enrol,
  });
  someone.write(".config/foundry-agent/config.toml", `[nodefoundry]\nurl = ${JSON.stringify(url)}\n`);
  someone.write("enrol.key", `${keys.enrol}\n`);
  someone.set("KEY", keys.enrol);
  const [asked, others, keyFile, readOnly] = blocksOf("enrolling.md") as [Block, Block, Block, Block];

  const said = someone.background("foundry-agent run");
  await eventually(() => said().includes("ready"));
  await someone.follow(asked);
  expect(someone.printed()).toMatch(/Registered with nodefoundry as node_\w+/);
  await someone.follow(others);
  expect(someone.printed().match(/Registered with nodefoundry as node_\w+/g)?.length).toBe(5);
  await someone.interrupt();

  // The same node without anybody at the keyboard, and one that only looks on.
  for (const [block, name, key, shows] of [
    [keyFile, "enrol", keys.enrol, /nodefoundry: accepted/],
    [readOnly, "read-only", keys.readOnly, /nodefoundry: .*read-only/i],
  ] as const) {
    rmSync(join(someone.home, ".local"), { recursive: true });
    someone.write(`.config/foundry-agent/${name}.key`, `${key}\n`);
    await someone.follow(block);
    expect(await someone.type("foundry-agent run --once")).toMatch(shows);
  }
});
