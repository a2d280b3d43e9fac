/** Starting: the first round has its place in the interval, and a start that is to end does not wait for anybody. */
import { closeSync, constants, openSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { hostClock } from "../../../src/system/clock.ts";
import { testAgent } from "../../support/agent/agent.ts";
import { eventually } from "../../support/eventually.ts";
import { loadTree, temporaryFolder, treeMachine } from "../../support/machine/tree.ts";
import { startSandbox } from "../../support/net/nodefoundry.ts";

test("something wrong at the start is told in the node's own place, not at once: a rack starts all together", async () => {
  const server = await startSandbox();
  onTestFinished(() => server.close());
  const toml = `[nodefoundry]\nurl = "${server.url}"\ninterval_s = 3000\n`;
  const folder = temporaryFolder();
  const first = await testAgent({ toml, folder });
  await first.view.enroll("nodefoundry", server.keys.test, {});
  await first.view.sync();
  await first.stop();
  const told = server.inspect().nodes[0]?.sync?.seq;
  // The same board with next to no memory left: an error from the first collection on.
  const tree = loadTree("vm");
  tree.files["/proc/meminfo"] = String(tree.files["/proc/meminfo"]).replace(
    /^MemAvailable:.*$/m,
    "MemAvailable: 100 kB",
  );
  const again = await testAgent({ toml, folder, machine: treeMachine(tree, hostClock()) });
  expect(again.view.status().conditions.map(({ severity }) => severity)).toContain("error");
  // This board's place is far behind the 2 s in which an urgent round would come.
  expect((again.view.status().controlApis[0]?.nextDueAt ?? 0) - Date.now()).toBeGreaterThan(60_000);
  expect(server.inspect().nodes[0]?.sync?.seq).toBe(told);
});

test("told to stop while the first collection hangs, the start waits for it no longer", async () => {
  const tree = loadTree("vm");
  const hangs = Object.keys(tree.files).find((path) => /hwmon\d+\/temp1_input$/.test(path)) ?? "";
  expect(hangs).not.toBe("");
  delete tree.files[hangs];
  const machine = treeMachine({ ...tree, fifos: [hangs] }, hostClock());
  const stop = new AbortController();
  const starting = testAgent({ machine, signal: stop.signal });
  setImmediate(() => stop.abort());
  const agent = await starting;
  expect(agent.view.report().sections.drives).toBeUndefined();
  await agent.stop();
  // The blocked thread must not keep this process: a writer opens the other end.
  closeSync(openSync(machine.files.root + hangs, constants.O_WRONLY | constants.O_NONBLOCK));
  await eventually(() => machine.files.slow.quarantined().length === 0);
});
