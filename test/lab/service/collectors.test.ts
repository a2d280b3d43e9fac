/**
 * What the confinement of the unit takes from the collectors: their sections from inside the installed service
 * against those of the same executable run by root without any confinement, on the same system. Each difference
 * has its reason here; another one fails.
 */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { SUITES } from "../../../scripts/lab/nspawn-root.mjs";
import { allCollectors } from "../../../src/collectors/index.ts";
import { compileFacets, omit, volatileOf } from "../../../src/model/facets.ts";
import { type Booted, boot, bootLacking, labDeb, until } from "../nspawn.ts";

const LACKING = bootLacking();

/** Moments, which differ whoever reads them; what else moves is declared by the collectors as `volatile`. */
const MOMENT = /\.(?:collected_at|duration_ms|since|checked_at|read_at|at)$/;

/** Field → why it may differ inside the unit. */
const EXPLAINED: readonly [RegExp, string][] = [
  [
    /^system\.data\.boot_id$/,
    "nspawn lays a boot id of its own over that of /proc; systemd 252 gives a unit with ProtectProc= a new /proc " +
      "without it. On a host there is only the kernel's.",
  ],
  [
    /^system\.data\.hardware\.denied/,
    "Serial numbers of product, board and chassis are 0400 root in /sys/class/dmi/id; the section says so, and " +
      "`hardware` has them from the helper. Seen in a VM: nspawn has no DMI.",
  ],
  [
    /^system\.data\.last_boot\.kernel_dumps$/,
    "pstore and /var/crash belong to root; null is unknown, not none. Seen in a VM.",
  ],
  [
    /^cpu\.data\.utilisation/,
    "Of the time between two looks, and the younger of the two may have had only one.",
  ],
  [
    /^smart\.data\.drives\.\d+\.(?:trend\.|last_verdict\.since)|^(?:bmc|hardware)\..*(?:news|history)/,
    "Each of the two has a state and a history of its own.",
  ],
];

describe.each(SUITES.map((suite) => ({ suite })))("collectors inside the unit on $suite", ({ suite }) => {
  let system: Booted;

  beforeAll(async () => {
    if (LACKING !== null) return;
    system = await boot(suite);
    await system.ok("dpkg", "-i", await system.bring(labDeb()));
  });
  afterAll(async () => await system?.stop());

  it("find what they find without confinement, but for what is explained", async (context: TestContext) => {
    if (LACKING !== null) return context.skip(LACKING);
    writeFileSync(
      `${system.root}/root/bare.toml`,
      '[agent]\nstate_dir = "/root/bare-state"\nrun_dir = "/root/bare-run"\nhardware = true\n',
    );
    await system.ok(
      "systemd-run",
      "--unit=bare",
      "-p",
      "Type=notify",
      "/usr/bin/foundry-agent",
      "run",
      "--config",
      "/root/bare.toml",
    );
    await until("the service is up", async () =>
      (await system.unit("foundry-agent", "ActiveState")) === "active" ? true : null,
    );
    const inside = standing(JSON.parse(await system.ok("foundry-agent", "report", "--json")).sections);
    const outside = standing(
      JSON.parse(
        await system.ok("foundry-agent", "report", "--json", "--socket", "/root/bare-run/control.sock"),
      ).sections,
    );
    expect(outside.size).toBeGreaterThan(50);
    const differing = [...new Set([...inside.keys(), ...outside.keys()])]
      .filter((path) => inside.get(path) !== outside.get(path))
      .filter((path) => !MOMENT.test(path))
      .filter((path) => !EXPLAINED.some(([field]) => field.test(path)));
    expect(
      differing.map((path) => `${path}: ${inside.get(path)} inside, ${outside.get(path)} outside`),
    ).toEqual([]);
  });
});

/** Every value of the sections by its path; of those that move, whether they are there. */
function standing(sections: Record<string, { data: unknown }>): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name, volatile } of allCollectors()) {
    const section = sections[name];
    if (section === undefined) continue;
    const moving = compileFacets(volatile);
    leaves({ ...section, data: omit(section.data, moving) }, name, found);
    for (const [path, value] of volatileOf(section.data, moving))
      found.set(`${name}.data.${path}`, value === null ? "null" : "there");
  }
  return found;
}

/** Every value of a tree with its path: `drives.data.drives.0.name` → `"vda"`. */
function leaves(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  if (value !== null && typeof value === "object" && Object.keys(value).length > 0)
    for (const [key, inner] of Object.entries(value))
      leaves(inner, path === "" ? key : `${path}.${key}`, into);
  else into.set(path, JSON.stringify(value));
  return into;
}
