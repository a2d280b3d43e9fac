import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it, onTestFinished, vi } from "vitest";
import { parseThrottled, throttledOperation } from "../../../src/helper/host/throttled.ts";
import { openFiles } from "../../../src/system/files.ts";
import { forAll } from "../../support/for-all.ts";
import { ask, helperHouse, requestFrame, sendRaw, testHelper } from "../../support/helper/helper.ts";
import { layTree, temporaryFolder } from "../../support/machine/tree.ts";

it.each([
  ["throttled=0x50005\n", 0x50005],
  ["throttled=0x0\n", 0],
  ["throttled=0xE0008", 0xe0008],
  ["", null],
  ["throttled=", null],
  ["throttled=50005", null],
  ["throttled=0x123456789", null],
  ['error=1 error_msg="Command not registered"', null],
  ["VCHI initialization failed", null],
])("%j", (text, flags) => {
  expect(parseThrottled(text)).toBe(flags);
});

it("any other text is null or a number of 32 bits", () => {
  forAll(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `throttled=0x${text}`),
      ),
      (text) => {
        const flags = parseThrottled(text);
        expect(flags === null || (Number.isInteger(flags) && flags >= 0 && flags < 2 ** 32)).toBe(true);
      },
    ),
    { seed: 20_261_121 },
  );
});

it("asks the firmware where there is one", async () => {
  const tools = temporaryFolder();
  const say = (script: string): void => {
    writeFileSync(join(tools, "vcgencmd"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(tools, "vcgencmd"), 0o755);
  };
  vi.stubEnv("PATH", tools);
  onTestFinished(() => void vi.unstubAllEnvs());
  const house = helperHouse();
  await testHelper(house, { files: openFiles(layTree({ files: { "/dev/vcio": "" } })) });
  say('[ "$*" = get_throttled ] && echo throttled=0x50005');
  expect((await sendRaw(house.socket, requestFrame({ operation: "throttled" }))).answer?.result).toEqual({
    flags: 0x50005,
  });
  say("echo throttled=0x0; exit 1");
  expect(await ask(house.socket, { operation: "throttled" })).toBe("throttled_unreadable");
  say("echo VCHI initialization failed");
  expect(await ask(house.socket, { operation: "throttled" })).toBe("throttled_unreadable");
});

it("says that nothing is known where the kernel has no way to it", async () => {
  const house = helperHouse();
  await testHelper(house, { files: openFiles(layTree({ files: {} })) });
  expect(await ask(house.socket, { operation: throttledOperation.name })).toBe("throttled_unsupported");
});
