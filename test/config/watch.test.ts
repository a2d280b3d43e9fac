import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { watchConfig } from "../../src/config/watch.ts";

/** A folder watched by a watcher that is ended before the folder goes. */
async function watching(paths: (folder: string) => string[]) {
  const folder = mkdtempSync(join(tmpdir(), "foundry-watch-"));
  let changes = 0;
  let wake: (() => void) | null = null;
  const ready = Promise.withResolvers<void>();
  const watch = watchConfig(
    paths(folder),
    () => {
      changes++;
      wake?.();
    },
    { settleMs: 20, onReady: () => ready.resolve(), onError: (error) => ready.reject(error) },
  );
  onTestFinished(() => {
    watch.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await ready.promise;
  /** Do it, and wait until it was told. */
  const told = async (change: () => void): Promise<void> => {
    const before = changes;
    change();
    while (changes === before) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { folder, told, watch, changes: () => changes };
}

const both = (folder: string): string[] => [join(folder, "etc/config.toml"), join(folder, "etc/conf.d")];

it("tells of a file written in place, of one renamed over it, and of one removed and made again", async () => {
  const { folder, told } = await watching((at) => {
    mkdirSync(join(at, "etc"));
    writeFileSync(join(at, "etc/config.toml"), "a = 1\n");
    return both(at);
  });
  const file = join(folder, "etc/config.toml");
  await told(() => writeFileSync(file, "a = 2 # longer\n"));
  for (let round = 0; round < 2; round++) {
    await told(() => {
      writeFileSync(`${file}.new`, `a = ${"3".repeat(round + 1)} # by an editor\n`);
      renameSync(`${file}.new`, file);
    });
  }
  await told(() => rmSync(file));
  await told(() => writeFileSync(file, "a = 4\n"));
});

it("tells of a file and of a folder that were not there before, and of what comes into the folder", async () => {
  const { folder, told } = await watching(both);
  await told(() => {
    mkdirSync(join(folder, "etc"));
    writeFileSync(join(folder, "etc/config.toml"), "");
  });
  await told(() => {
    mkdirSync(join(folder, "etc/conf.d"));
    writeFileSync(join(folder, "etc/conf.d/a.toml"), "");
  });
  await told(() => writeFileSync(join(folder, "etc/conf.d/a.toml"), "a = 1\n"));
  await told(() => writeFileSync(join(folder, "etc/conf.d/b.toml"), ""));
  await told(() => rmSync(join(folder, "etc/conf.d/a.toml")));
});

it("tells of files whose folder is swapped behind a link, as mounted ConfigMaps are, and of a folder made anew", async () => {
  const version = (folder: string, number: number): void => {
    mkdirSync(join(folder, `..${number}`));
    writeFileSync(join(folder, `..${number}/config.toml`), `a = ${"1".repeat(number)}\n`);
    symlinkSync(`..${number}`, join(folder, "..data_new"));
    renameSync(join(folder, "..data_new"), join(folder, "..data"));
    rmSync(join(folder, `..${number - 1}`), { recursive: true, force: true });
  };
  const { folder, told } = await watching((at) => {
    mkdirSync(join(at, "etc"));
    version(join(at, "etc"), 1);
    symlinkSync("..data/config.toml", join(at, "etc/config.toml"));
    return both(at);
  });
  for (const number of [2, 3, 4]) await told(() => version(join(folder, "etc"), number));
  await told(() => rmSync(join(folder, "etc"), { recursive: true }));
  await told(() => {
    mkdirSync(join(folder, "etc"));
    writeFileSync(join(folder, "etc/config.toml"), "b = 1\n");
  });
});

it("says nothing after it was ended, whatever was under way", async () => {
  const { folder, told, watch, changes } = await watching(both);
  await told(() => {
    mkdirSync(join(folder, "etc"));
    writeFileSync(join(folder, "etc/config.toml"), "");
  });
  const before = changes();
  writeFileSync(join(folder, "etc/config.toml"), "a = 1\n");
  watch.close();
  // Another watcher on the same file has seen the change and settled: this one would have too.
  const again = await watching(() => both(folder));
  await again.told(() => writeFileSync(join(folder, "etc/config.toml"), "a = 22\n"));
  expect(changes()).toBe(before);
});

it("tells once when it can't watch, and goes on without", async () => {
  const told = Promise.withResolvers<unknown>();
  let errors = 0;
  const watch = watchConfig(["/tmp/\0", "/tmp/\0\0"], () => undefined, {
    onError: (error) => {
      errors++;
      told.resolve(error);
    },
  });
  expect(await told.promise).toBeInstanceOf(Error);
  watch.close();
  watch.close();
  expect(errors).toBe(1);
});
