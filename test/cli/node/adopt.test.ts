import { expect, test } from "vitest";
import { daemon, typed } from "../../support/agent/daemon.ts";

test("adopt and adopt --undo ask for just that, and say what came of it", async () => {
  const { agent } = await daemon();
  await agent.stop();
  // The same state on another board.
  const { run, view } = await daemon({ tree: "pi4", folder: agent.folder });
  const codes = () => view.status().conditions.map(({ code }) => code);
  expect(codes()).toContain("identity_cloned");
  expect(await run(["adopt", "--yes"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("Adopted: "),
  });
  expect(codes()).not.toContain("identity_cloned");
  expect(await run(["adopt", "--undo", "-y"])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("Undone: "),
  });
  expect(codes()).toContain("identity_cloned");
  expect(JSON.parse((await run(["adopt", "--json", "--yes"])).stdout)).toEqual({ done: true });
});

test("where there is nothing to adopt it says so, with what to type next", async () => {
  const { run } = await daemon();
  const { code, stdout, stderr } = await run(["adopt"]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toMatch(/^foundry-agent: \S.* Next: foundry-agent status/);
});

test("it says what it will do and takes nothing but yes for it", async () => {
  const { agent } = await daemon();
  await agent.stop();
  const { run, view } = await daemon({ tree: "pi4", folder: agent.folder });
  const codes = () => view.status().conditions.map(({ code }) => code);
  expect(await run(["adopt"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("foundry-agent adopt --yes"),
  });
  const no = await run(["adopt"], { input: typed("n\r") });
  expect([no.code, no.stdout]).toEqual([4, ""]);
  expect(no.stderr).toMatch(/becomes the node that was set aside, with its token.*\nGo on\? \[y\/N\]/);
  expect(codes()).toContain("identity_cloned");
  expect(await run(["adopt"], { input: typed("y\r") })).toMatchObject({ code: 0 });
  expect(codes()).not.toContain("identity_cloned");
});
