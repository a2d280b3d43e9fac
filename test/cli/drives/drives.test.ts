/** The table of drives as people see it, with a verdict on each or the reason why there is none. */
import { describe, expect, it } from "vitest";
import { displayWidth } from "../../../src/cli/text/table.ts";
import type { DrivesData } from "../../../src/collectors/drives/schema.ts";
import { allCollectors } from "../../../src/collectors/index.ts";
import { madeUpDaemon } from "../../support/agent/daemon.ts";
import { smartData, smartEntry } from "../../support/agent/routes.ts";
import { NOW, section, type TestView, testView, viewOfSections } from "../../support/agent/view.ts";
import { sectionsOnce } from "../../support/drives/healthy-drives.ts";
import { attribute, nvme } from "../../support/drives/smart.ts";
import { terminal } from "../../support/text/io.ts";

const healthy = async () => await madeUpDaemon(viewOfSections(await sectionsOnce(), allCollectors()));
const plain = (text: string): string => text.replace(/ --socket \S+/g, "");

/** A Ceph node on which every drive was asked; sdf has bad sectors. */
async function cephNode(): Promise<TestView> {
  const view = await testView();
  const { drives } = (view.sections.drives?.data ?? {}) as DrivesData;
  const entries = drives.map((drive) =>
    smartEntry(`/dev/${drive.name}`, drive.type === "nvme" ? "nvme" : "sat", drive, {
      power_on_hours: 28_034,
      temperature_c: 37,
      ...(drive.type === "nvme" ? { wear_percent: 93, nvme: nvme({ percentage_used: 93 }) } : {}),
      ...(drive.name === "sdf" ? { attributes: [attribute(197, { raw: 8 })] } : {}),
    }),
  );
  view.sections.smart = section("smart", smartData(entries));
  return view;
}

describe("the table", () => {
  it("says how each drive fares, why, and where to look next", async () => {
    const { run } = await healthy();
    expect(plain((await run(["drives"])).stdout)).toBe(
      `DEVICE            MODEL         SIZE  TYPE        AGE   TEMP  WEAR  VERDICT  REASON
sda               LAB-ATA     4.3 GB  sata  3.2 years  31 °C     -  healthy  -
sdb               LAB-ATA     4.3 GB  sata        1 h  38 °C     -  warning  3 unreadable sectors (+1)
sdc               LAB-ATA     4.3 GB  sata        1 h  31 °C     -  FAILING  says it is failing
sdd               LAB-ATA     4.3 GB  sata        1 h  31 °C     -  asleep   -
bus_0_megaraid_3  LAB-MEMBER       -  nvme        0 h  50 °C   0 %  healthy  -

5 drives, looked at 12 s ago, health asked 4 min ago
1 drive is failing, 1 shows signs of trouble. Why, and what to do: foundry-agent drives sdc
`,
    );
  });

  it("fits 80 columns: what matters least gives way, verdict and reason never", async () => {
    const { run } = await madeUpDaemon(await cephNode());
    const shown = async (columns: number) => {
      const lines = (await run(["drives"], { io: terminal(columns) })).stdout.split("\n").slice(0, 16);
      expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(columns);
      return lines;
    };
    const titles = (lines: readonly string[]) => lines[0]?.split(/ {2,}/);
    expect(titles(await shown(140))).toEqual([
      ...["SLOT", "DEVICE", "MODEL", "SIZE", "TYPE", "AGE", "TEMP", "WEAR"],
      ...["VERDICT", "REASON", "USED FOR"],
    ]);
    expect(plain((await run(["drives"])).stdout)).toMatch(
      /\n3 drives show signs of trouble\. Why, and what to do: foundry-agent drives nvme0n1\n$/,
    );
    const usual = await shown(80);
    expect(titles(usual)).toEqual(["SLOT", "DEVICE", "MODEL", "SIZE", "VERDICT", "REASON", "USED FOR"]);
    expect(usual.find((line) => line.includes("sdf"))).toMatch(
      /^5 +sdf +ST180\S* +18\.0 TB {2}warning {2}8 unreadable sectors {2}Ceph OSD data$/,
    );
    expect(titles(await shown(55))).toEqual(["SLOT", "DEVICE", "MODEL", "VERDICT", "REASON"]);
    // Colour stands beside the word and not in place of it.
    const colored = (await run(["drives"], { io: { ...terminal(140), color: true } })).stdout;
    expect(colored).toContain("\u001b[33mwarning\u001b[0m");
    expect(colored).toContain("\u001b[33m93 %\u001b[0m");
  });

  it("has a column for the kernel's state only where it is not the ordinary one, and holes for what is missing", async () => {
    const view = await cephNode();
    const data = structuredClone(view.sections.drives?.data) as DrivesData;
    const [first, second] = data.drives;
    if (!first || !second) throw new Error("no drives");
    first.answering = false;
    const gone = { id: "serial-GONE", serial: "GONE-1", model: "ST1", last_name: "sdx", size_bytes: 1e12 };
    data.missing = [{ ...gone, enclosure: null, slot: null, since: new Date(NOW - 7_200_000).toISOString() }];
    view.sections.drives = section("drives", data);
    const { run } = await madeUpDaemon(view);
    const { stdout } = await run(["drives"]);
    expect(stdout).toMatch(/^SLOT .* USED FOR +STATE\n/);
    expect(stdout).toMatch(new RegExp(`^160 +${first.name} .*does not answer$`, "m"));
    expect(stdout).toMatch(new RegExp(`^161 +${second.name} .*online$`, "m"));
    expect(stdout).toMatch(/^- +\(sdx\) .* missing {2}noticed 2 h ago +serial GONE-1 +-$/m);
  });

  it("says in one line why there is no verdict, and what to type", async () => {
    const { run, view } = await madeUpDaemon();
    const last = async () =>
      plain((await run(["drives"])).stdout)
        .trimEnd()
        .split("\n")
        .at(-1);
    expect(await last()).toBe(
      "No verdict on their health: it needs the helper. Next: systemctl enable --now foundry-agent-helper.socket",
    );
    view.sections.smart = section("smart", {
      ...smartData([]),
      problem: {
        code: "smartctl_missing",
        text: "smartctl is not installed",
        next_step: "apt install smartmontools",
      },
    });
    expect(await last()).toBe(
      "No verdict on their health: smartctl is not installed. Next: apt install smartmontools",
    );
    const text = "No drive here gives SMART data; virtual disks, SD cards and eMMC have none.";
    view.sections.smart = section("smart", null, {
      state: "absent",
      reason: { code: "no_data", text, nextStep: null },
    });
    expect(await last()).toBe(
      "No verdict on their health: no drive here gives SMART data; virtual disks, SD cards and eMMC have none.",
    );
    view.sections.smart = section("smart", smartData([]), {
      state: "stale",
      reason: { code: "timeout", text: "it was not done in time", nextStep: null },
    });
    expect(await last()).toBe("Their health is out of date: it was not done in time.");
    delete view.sections.smart;
    expect(await last()).toBe("Their health is not known yet: look again in a few seconds.");
    // Switched off in the configuration: nobody misses it.
    const without = { ...view, collectors: () => allCollectors().filter(({ name }) => name !== "smart") };
    const off = await madeUpDaemon(without);
    expect((await off.run(["drives"])).stdout).toMatch(/\n15 drives, looked at 12 s ago\n$/);
  });
});
