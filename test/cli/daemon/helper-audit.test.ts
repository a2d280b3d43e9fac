/** `foundry-agent helper --audit`, on what a real helper wrote. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { helperCommand } from "../../../src/cli/daemon/helper.ts";
import { actingOperation, ask, helperHouse, testHelper } from "../../support/helper/helper.ts";
import { temporaryFolder } from "../../support/machine/tree.ts";
import { runCli } from "../../support/text/io.ts";

const audit = (stateFolder: string) => runCli([helperCommand], ["helper", "--audit", "--state", stateFolder]);

test("what was changed and what was refused, each oldest first, over both halves of a file", async () => {
  const house = helperHouse('[allow]\nlocal = ["smart_test"]\n');
  const moreOperations = [actingOperation("act", "smart_test", []), actingOperation("no", "reboot", [])];
  await testHelper(house, { moreOperations });
  const call = (operation: string, id: string) => ask(house.socket, { operation, id, source: "local" });
  await call("act", "cmd_1");
  await call("no", "cmd_2");
  const path = join(house.stateFolder, "audit", "smart_test.log");
  renameSync(path, `${path}.1`);
  await call("act", "cmd_3");
  const { stdout, stderr, code } = await audit(house.stateFolder);
  expect([code, stderr]).toEqual([0, ""]);
  const [changed = "", refused = ""] = stdout.split("\n\n");
  expect(changed.match(/cmd_\d/g)).toEqual(["cmd_1", "cmd_1", "cmd_3", "cmd_3"]);
  expect(changed).toMatch(
    /^Changed on this host:\n[-\d]{10} [:\d]{8} UTC {2}act +begun +cmd_1 {2}from local/,
  );
  expect(refused).toMatch(/^Refused:\n.* no +helper_refused +cmd_2 {2}from local {2}none {2}\S/);
});

test("nothing yet is said, and a folder that may not be read", async () => {
  const folder = temporaryFolder();
  const nothing = "Nothing was changed on this host.\n\nNothing was refused.\n";
  expect(await audit(folder)).toEqual({ stdout: nothing, stderr: "", code: 0 });
  writeFileSync(join(folder, "audit"), "");
  const failed = await audit(folder);
  expect([failed.code, failed.stderr]).toEqual([
    1,
    expect.stringMatching(/audit trail .* can't be read \(ENOTDIR\)\. Next: ls -la \S+\/audit$/m),
  ]);
});

test("whoever is not root is refused, with the line to type", () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "audit"), { mode: 0 });
  const source = (name: string) => new URL(`../../../src/${name}`, import.meta.url).href;
  const program = `
    const { exitCodeOf } = await import(${JSON.stringify(source("cli/output.ts"))});
    const { readAudit } = await import(${JSON.stringify(source("helper/carry-out/audit-read.ts"))});
    if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
    try { readAudit(${JSON.stringify(folder)}); } catch (error) { console.log(exitCodeOf(error), error.message, error.nextStep); }
  `;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
  });
  chmodSync(join(folder, "audit"), 0o700); // so that it can be taken away
  expect(stdout).toBe(`4 ${folder}/audit is for root sudo foundry-agent …\n`);
});
