/** What may be dropped is decided from text; that dropping works is proven on a real process with the ship flags. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { SHIP_FLAGS } from "../../scripts/flags.mjs";
import { candidates, makeRoom, openHousekeeping, validate } from "../../src/system/housekeeping.ts";
import { openNative } from "../../src/system/native.ts";
import { temporaryFolder } from "../support/machine/tree.ts";

const CODE = "00400000-0082e000 r-xp 00000000 fe:00 530941                            /usr/bin/foundry-agent";
const DATA = "7f0000000000-7f0000100000 r--p 00042000 fe:00 339380                    /usr/lib/libc.so.6";

const ALWAYS = { settleMs: 0, againMs: 60_000, dropMs: 0, collectMs: 0, collectSoonMs: 0, validateMs: 0 };

function smaps(header: string, values: Record<string, number> = {}): string {
  const all = { Size: 100, Rss: 50, Private_Clean: 50, Private_Dirty: 0, Anonymous: 0, ...values };
  const lines = Object.entries(all).map(([name, kb]) => `${name}:${String(kb).padStart(15)} kB`);
  return `${[header, ...lines].join("\n")}\nVmFlags: rd mr mw me \n`;
}

describe("which mappings may be dropped", () => {
  it("takes private, file-backed, unwritable ones", () => {
    expect(candidates(`${CODE}\n${DATA}\n`)).toEqual([
      { start: 0x400000n, length: 0x42e000n, header: CODE },
      { start: 0x7f0000000000n, length: 0x100000n, header: DATA },
    ]);
  });

  it.each([
    ["writable", CODE.replace("r-xp", "rw-p")],
    ["writable and executable", CODE.replace("r-xp", "rwxp")],
    ["shared", CODE.replace("r-xp", "r-xs")],
    ["a guard", CODE.replace("r-xp", "---p")],
    ["anonymous", "7f0000000000-7f0000100000 r--p 00000000 00:00 0 "],
    ["the kernel's own", "7ffd2b3f6000-7ffd2b3f8000 r-xp 00000000 00:00 0                          [vdso]"],
    ["of a deleted file", `${CODE} (deleted)`],
    ["in memory only", "7f0000000000-7f0000100000 r--p 00000000 00:01 17          /memfd:x (deleted)"],
    ["of a device", CODE.replace("/usr/bin/foundry-agent", "/dev/mem")],
  ])("leaves one that is %s", (_why, header) => {
    expect(candidates(`${header}\n`)).toEqual([]);
  });

  it("leaves dirty and copied pages, and looks at a mapping's own lines only", () => {
    const both = candidates(`${CODE}\n${DATA}\n`);
    const headers = (text: string) => validate(both, text).checked.map((mapping) => mapping.header);
    expect(headers(smaps(CODE) + smaps(DATA))).toEqual([CODE, DATA]);
    expect(headers(smaps(CODE, { Private_Dirty: 4 }) + smaps(DATA))).toEqual([DATA]);
    expect(headers(smaps(CODE, { Anonymous: 4 }) + smaps(DATA))).toEqual([DATA]);
    // A kernel that does not tell: nothing is known, so nothing is dropped.
    expect(headers(`${CODE}\nRss: 50 kB\nVmFlags: rd\n${smaps(DATA)}`)).toEqual([DATA]);
  });

  it("never takes a mapping in again that was gone or changed", () => {
    const both = candidates(`${CODE}\n${DATA}\n`);
    const moved = validate(both, smaps(CODE) + smaps(DATA.replace("00042000", "00043000")));
    expect(moved.mappings.map((mapping) => mapping.header)).toEqual([CODE]);
    expect(validate(moved.mappings, smaps(CODE) + smaps(DATA)).checked.map(({ header }) => header)).toEqual([
      CODE,
    ]);
  });

  it("finds a program's own binary in real maps", () => {
    const maps = execFileSync("cat", ["/proc/self/maps"], { encoding: "latin1" });
    expect(candidates(maps).some(({ header }) => header.endsWith("/cat"))).toBe(true);
  });
});

describe("housekeeping", () => {
  it("does nothing when it is switched off", () => {
    const lines: string[] = [];
    openHousekeeping({ enabled: false, log: { info: (text: unknown) => lines.push(String(text)) } }).tick();
    expect(lines).toEqual([]);
  });

  it("says once that it can't, and goes on", async () => {
    const lines: string[] = [];
    const log = { info: (...parts: unknown[]) => lines.push(String(parts.at(-1))) };
    const off = openHousekeeping({ enabled: true, log, native: null, rhythm: ALWAYS });
    off.tick();
    await expect.poll(() => lines).toHaveLength(1);
    off.tick();
    await setTimeout(5);
    expect(lines).toEqual(["memory housekeeping is off: this runtime has no node:ffi"]);
  });

  it("gives up with one line when a tool fails", async () => {
    const native = openNative();
    if (native === null) throw new Error("this Node has no node:ffi");
    const lines: string[] = [];
    const log = { info: (...parts: unknown[]) => lines.push(String(parts.at(-1))) };
    let tried = 0;
    const broken = {
      ...native,
      trimHeap: () => {
        tried++;
        throw new Error("no such call");
      },
    };
    const failing = openHousekeeping({ enabled: true, log, native: broken, rhythm: ALWAYS });
    failing.tick();
    await expect.poll(() => lines).toEqual(["memory housekeeping is off: it failed"]);
    failing.tick();
    await setTimeout(5);
    expect(tried).toBe(1);
  });

  it("tidies up once for many ticks", async () => {
    const native = openNative();
    if (native === null) throw new Error("this Node has no node:ffi");
    let tidied = 0;
    const counting = { ...native, trimHeap: () => ++tidied > 0, dropPages: () => true };
    const log = { info: () => undefined };
    const kept = openHousekeeping({ enabled: true, log, native: counting, rhythm: ALWAYS });
    for (let tick = 0; tick < 1_000; tick++) kept.tick();
    await expect.poll(() => tidied).toBe(1);
    kept.tick();
    await expect.poll(() => tidied).toBe(2);
  });

  it("collects before its time when the heap has grown, and not when it has not", async () => {
    const native = openNative();
    if (native === null) throw new Error("this Node has no node:ffi");
    let [dropped, collected] = [0, 0];
    const counting = { ...native, trimHeap: () => ++collected > 0, dropPages: () => ++dropped > 0 };
    const rhythm = { ...ALWAYS, collectMs: 3_600_000 };
    const kept = openHousekeeping({
      enabled: true,
      log: { info: () => undefined },
      native: counting,
      rhythm,
    });
    const tidied = async (): Promise<void> => {
      const before = dropped;
      kept.tick();
      await expect.poll(() => dropped).toBeGreaterThan(before);
    };
    await tidied();
    expect(collected).toBe(1);
    const grown = Array.from({ length: 200_000 }, (_, index) => ({ index }));
    await tidied();
    expect(collected).toBe(2);
    expect(grown).toHaveLength(200_000);
  });

  it("makes room at once for what is large: garbage, free memory of the C heap, pages of the program", async () => {
    const native = openNative();
    if (native === null) throw new Error("this Node has no node:ffi");
    let [dropped, trimmed] = [0, 0];
    const counting = { ...native, trimHeap: () => ++trimmed > 0, dropPages: () => ++dropped > 0 };
    const log = { info: () => undefined };
    openHousekeeping({ enabled: true, log, native: counting, rhythm: ALWAYS }).tick();
    await expect.poll(() => dropped).toBeGreaterThan(0);
    const before = { dropped, trimmed };
    const garbage = new WeakRef({ large: new Array(1_000).fill(0) });
    // What was looked at in a turn of the event loop stays until its end.
    await setImmediate();
    makeRoom();
    expect(garbage.deref()).toBeUndefined();
    expect(trimmed).toBe(before.trimmed + 2);
    expect(dropped).toBeGreaterThan(before.dropped + 1);
  });

  it("tidies up again when something followed, and then lets it be", async () => {
    const native = openNative();
    if (native === null) throw new Error("this Node has no node:ffi");
    const blocks: Buffer[] = [];
    let tidied = 0;
    const growing = {
      ...native,
      dropPages: () => true,
      trimHeap: () => {
        tidied++;
        // As a long poll that begins; and as the pages that come back with every look.
        void setImmediate().then(() => blocks.push(Buffer.alloc(64 * 1024 * 1024, 1)));
        return true;
      },
    };
    const rhythm = { ...ALWAYS, againMs: 50 };
    openHousekeeping({ enabled: true, log: { info: () => undefined }, native: growing, rhythm }).tick();
    await expect.poll(() => blocks.length).toBe(2);
    await setTimeout(4 * rhythm.againMs);
    expect(tidied).toBe(2);
  });

  it("keeps a working process flat and small, under the ship flags", () => {
    const program = join(temporaryFolder(), "load.cjs");
    buildSync({
      entryPoints: [fileURLToPath(new URL("../support/machine/housekeeping-load.ts", import.meta.url))],
      outfile: program,
      bundle: true,
      platform: "node",
      format: "cjs",
      logLevel: "error",
    });
    const run = (enabled: boolean): { after: number[]; log: string[] } =>
      JSON.parse(
        execFileSync(process.execPath, [...SHIP_FLAGS, program, String(enabled)], { encoding: "utf8" }),
      );
    const kept = run(true);
    const left = run(false);
    expect(kept.log).toEqual([]);
    const most = (samples: number[]): number => Math.max(...samples);
    // Two thirds of the binary's pages were touched at the start only.
    expect(most(kept.after)).toBeLessThan(most(left.after) - 8_192);
    expect(most(kept.after.slice(-50)) - most(kept.after.slice(0, 50))).toBeLessThan(2_048);
  });
});
