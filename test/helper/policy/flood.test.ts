/** A main process, or a server, that asks the helper without end: root's own reboot is done all the same. */
import { statSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { expect, onTestFinished, test } from "vitest";
import { directHelper } from "../../../src/helper/direct.ts";
import type { Operation } from "../../../src/helper/operation.ts";
import { errorCode } from "../../../src/model/errors.ts";
import { openFiles } from "../../../src/system/files.ts";
import { runProgram } from "../../../src/system/program.ts";
import { repeat } from "../../support/budget.ts";
import { helperHouse } from "../../support/helper/helper.ts";
import { NOON, plainCommand, signer } from "../../support/helper/signing.ts";
import { layTree } from "../../support/machine/tree.ts";
import { handClock } from "../../support/store/store.ts";

/** Does nothing, and says as much as it may; every second time it fails as long. */
function act(name: string, policy: "reboot" | "locate" | "smart_test"): Operation<{ n: number }, unknown> {
  return {
    name,
    args: v.strictObject({ n: v.number() }),
    policy,
    timeoutMs: 10_000,
    lanes: () => [],
    covers: () => true,
    async perform({ n }) {
      if (n % 2 === 1) throw new Error("x".repeat(2_000));
      return "r".repeat(490);
    },
  };
}

function house(policy: string) {
  const files = openFiles(
    layTree({ files: { "/proc/uptime": "1000 0", "/proc/sys/kernel/random/boot_id": "b1" } }),
  );
  const { policyPath, stateFolder } = helperHouse(policy);
  const operations = [
    act("test.light", "locate"),
    act("test.drive", "smart_test"),
    act("test.boot", "reboot"),
  ];
  const helper = directHelper({
    ...{ policyPath, stateFolder, files, run: runProgram, clock: handClock(NOON) },
    audit: () => undefined,
    moreOperations: operations,
  });
  onTestFinished(() => helper.close());
  return {
    size: () => statSync(join(stateFolder, "done.json")).size,
    async ask(operation: string, n: number, id: string, about: { source: string; signed?: object }) {
      const never = new AbortController().signal;
      return await helper.call(operation, { n }, never, { id, ...about } as never).then(
        () => "done",
        (error: unknown) => errorCode(error),
      );
    },
  };
}

const ALL = '["reboot", "locate", "smart_test"]';
const OPEN = `[commands]\nremote = "on"\n[allow]\nlocal = ${ALL}\nnodefoundry = ${ALL}\n[limits.locate]\na_day = 1000\n[limits.smart_test]\na_day = 1000\n`;

test("a main that asks ten thousand times fills its own part at most", async () => {
  const { ask, size } = house(OPEN);
  const words = ["test.light", "test.drive", "test.boot"];
  const done = await repeat(10_000, async (index) => {
    const id = `${index}`.padEnd(128, "x");
    await ask(words[index % 3] ?? "", index, id, { source: "nodefoundry" });
  });
  expect(done).toBeGreaterThan(400);
  expect(size()).toBeLessThan(4 * 1024 * 1024);
  expect(await ask("test.boot", 0, "again", { source: "nodefoundry" })).toBe("helper_refused");
  for (const operation of words)
    expect(await ask(operation, 0, `root_${operation}`, { source: "local" })).toBe("done");
  // Within its own limits: the second within 30 minutes is one too many.
  expect(await ask("test.boot", 0, "root_again", { source: "local" })).toBe("helper_refused");
});

test("a server with a good signature and any number of ids leaves root's own reboot", async () => {
  const key = signer();
  const { ask } = house(
    OPEN.replace("[allow]", `public_key = "${key.publicKey}"\nnode_id = "node_a"\n[allow]`),
  );
  const signed = (id: string) => key.of(plainCommand({ id }));
  const answers: string[] = [];
  await repeat(1_000, async (index) => {
    const id = `cmd_${index}`;
    answers.push(await ask("test.boot", 0, id, { source: "nodefoundry", signed: signed(id) }));
  });
  expect(answers.filter((answer) => answer === "done")).toHaveLength(1);
  expect(await ask("test.boot", 0, "cmd_root", { source: "local", signed: signed("cmd_root") })).toBe("done");
});
