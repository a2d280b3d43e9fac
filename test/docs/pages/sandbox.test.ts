/** docs/sandbox.md, done word for word in an empty home. */
import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { newcomer } from "../../support/text/pages/newcomer.ts";
import { blocksOf } from "../../support/text/pages/page.ts";

const CURL = spawnSync("curl", ["--version"]).status === 0;

test.skipIf(!CURL)("the page about the sandbox does what it says", async () => {
  // Whatever else runs on this machine has its own 8080.
  const port = await freePort();
  const someone = newcomer({ instead: () => ({ "127.0.0.1:8080": `127.0.0.1:${port}` }) });
  const blocks = blocksOf("sandbox.md");
  for (const [index, block] of blocks.entries()) await someone.follow(block, blocks[index + 1]);
  const printed = someone.printed();
  expect(printed).toMatch(/Registered with nodefoundry as node_\w+, named \S+, mode test/);
  expect(printed).toMatch(/"id": ?"op_/);
  // The reboot that the page asks for ends as it says, whatever this host is at.
  const [key = ""] = /nf_sk_test_\w+/.exec(printed) ?? [];
  const [operation = ""] = /op_\w+/.exec(printed) ?? [];
  await eventually(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/operations/${operation}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const { status } = ((await answer.json()) as { data: { status: string } }).data;
    if (status === "failed") throw new Error("the reboot in test mode failed");
    return status === "succeeded";
  });
  await someone.interrupt();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}
