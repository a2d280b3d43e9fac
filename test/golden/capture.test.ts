/** scripts/test/capture-tree.mjs on this machine: what the collectors find in the captured tree is what they find here. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { allCollectors } from "../../src/collectors/index.ts";
import { compileFacets, omit } from "../../src/model/facets.ts";
import { hostMachine, type Machine } from "../../src/system/machine.ts";
import type { Tree } from "../support/machine/tree.ts";
import { collectTwice, goldenMachine } from "../support/text/golden.ts";

function capture(): { tree: Tree; text: string } {
  const script = fileURLToPath(new URL("../../scripts/test/capture-tree.mjs", import.meta.url));
  const child = spawnSync(process.execPath, [script, "a test"], {
    encoding: "utf8",
    timeout: 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  expect(child.status, child.stderr).toBe(0);
  return { tree: JSON.parse(child.stdout) as Tree, text: child.stdout };
}

/**
 * What a tree can't have: a made-up machine id, the values of the kernel's command
 * line, what is in no file before Linux 6.1, when an image came to be there, the
 * space of another disk.
 */
const OF_THE_MACHINE: Readonly<Record<string, readonly string[]>> = {
  system: ["machine_id", "kernel.architecture", "command_line", "reboot_required.since"],
  drives: ["drives[id].mounts[mountpoint].size_bytes", "drives[id].mounts[mountpoint].use_problem"],
};
/** What its people wrote down for themselves is not captured. */
const LEFT_OUT = "local";

/** What every section has that does not move while the machine runs. */
async function standing(machine: Machine): Promise<unknown> {
  const { sections } = await collectTwice(machine);
  return Object.fromEntries(
    allCollectors()
      .filter(({ name }) => name !== LEFT_OUT)
      .map(({ name, volatile }) => {
        const section = sections[name];
        const moving = compileFacets([...Object.keys(volatile), ...(OF_THE_MACHINE[name] ?? [])]);
        return [name, section?.state === "ok" ? omit(section.data, moving) : section?.state];
      }),
  );
}

test("the collectors find in the tree what they find on the machine", async () => {
  const { tree } = capture();
  // A capture has files; what only the kernel itself says stands in none.
  const { kernel: _, ...deaf } = hostMachine();
  const here = await standing(deaf);
  expect(await standing(goldenMachine(tree))).toEqual(here);
});

test("the machine id is made up, all is capped, and it says where it comes from", () => {
  const { tree, text } = capture();
  for (const path of ["/etc/machine-id", "/var/lib/dbus/machine-id"]) {
    const id = readIfThere(path);
    if (id !== "") expect(text.includes(id)).toBe(false);
  }
  const sizes = Object.values(tree.files).map(
    (file) => (typeof file === "string" ? file : file.base64).length,
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1024 * 1024);
  expect(tree.about).toMatch(
    /^Captured by scripts\/test\/capture-tree\.mjs as .* a test, .*machine id is made up\.$/,
  );
});

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
