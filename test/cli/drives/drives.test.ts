/** The table of drives as people see it, with a verdict on each or the reason why there is none. */
import { describe, expect, it } from "vitest";
import { displayWidth } from "../../../src/cli/text/table.ts";
import type { DrivesData } from "../../../src/collectors/drives/schema.ts";
import { daemon } from "../../support/agent/daemon.ts";
import { pretendSections } from "../../support/agent/pretend.ts";
import { smartData, smartEntry } from "../../support/agent/routes.ts";
import { sectionsOnce } from "../../support/drives/healthy-drives.ts";
import { attribute, nvme } from "../../support/drives/smart.ts";
import { NOW } from "../../support/now.ts";
import { terminal } from "../../support/text/io.ts";

const plain = (text: string): string => text.replace(/ --socket \S+/g, "");

/** A Ceph node on which every drive was asked; sdf has bad sectors. */
async function cephNode() {
  const here = await daemon();
  const { drives } = (here.view.report().sections.drives?.data ?? {}) as DrivesData;
  const entries = drives.map((drive) =>
    smartEntry(`/dev/${drive.name}`, drive.type === "nvme" ? "nvme" : "sat", drive, {
      power_on_hours: 28_034,
      temperature_c: 37,
      ...(drive.type === "nvme" ? { wear_percent: 93, nvme: nvme({ percentage_used: 93 }) } : {}),
      ...(drive.name === "sdf" ? { attributes: [attribute(197, { raw: 8 })] } : {}),
    }),
  );
  pretendSections(here.view, { smart: { state: "ok", data: smartData(entries), reason: null } });
  return here;
}

describe("the table", () => {
  it("says how each drive fares, why, and where to look next", async () => {
    const { run, view } = await daemon({ tree: "vm" });
    pretendSections(view, await sectionsOnce());
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
    const { run } = await cephNode();
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
    const { run, view } = await cephNode();
    const data = structuredClone(view.report().sections.drives?.data) as DrivesData;
    const [first, second] = data.drives;
    if (!first || !second) throw new Error("no drives");
    first.answering = false;
    const gone = {
      id: "serial-GONE",
      serial: "GONE-1",
      model: "ST1",
      last_name: "sdx",
      size_bytes: 1e12,
      carried: null,
    };
    data.missing = [{ ...gone, enclosure: null, slot: null, since: new Date(NOW - 7_200_000).toISOString() }];
    pretendSections(view, { drives: { data } });
    const { stdout } = await run(["drives"]);
    expect(stdout).toMatch(/^SLOT .* USED FOR +STATE\n/);
    expect(stdout).toMatch(new RegExp(`^160 +${first.name} .*does not answer$`, "m"));
    expect(stdout).toMatch(new RegExp(`^161 +${second.name} .*online$`, "m"));
    expect(stdout).toMatch(/^- +\(sdx\) .* missing {2}noticed 2 h ago +serial GONE-1 +-$/m);
  });

  it("says in one line why there is no verdict, and what to type on the next", async () => {
    const { run, view } = await daemon();
    const last = async () =>
      plain((await run(["drives"])).stdout)
        .trimEnd()
        .split("\n")
        .slice(-2)
        .filter((line) => !line.startsWith("15 drives"))
        .join("\n");
    expect(await last()).toMatch(
      /^No verdict on their health: it needs the helper, or root with hardware = true in the configuration\.\nTo do: write hardware = true below \[agent\] in .*conf\.d/,
    );
    const ok = { state: "ok", reason: null } as const;
    const problem = {
      code: "smartctl_missing",
      text: "smartctl is not installed",
      next_step: "apt install smartmontools",
    };
    pretendSections(view, { smart: { ...ok, data: { ...smartData([]), problem } } });
    expect(await last()).toBe(
      "No verdict on their health: smartctl is not installed.\nNext: apt install smartmontools",
    );
    const text = "No drive here gives SMART data; virtual disks, SD cards and eMMC have none.";
    const reason = { code: "no_data", text, nextStep: null };
    pretendSections(view, { smart: { state: "absent", data: null, reason } });
    expect(await last()).toBe(
      "No verdict on their health: no drive here gives SMART data; virtual disks, SD cards and eMMC have none.",
    );
    const late = { code: "timeout", text: "it was not done in time", nextStep: null };
    pretendSections(view, { smart: { state: "stale", data: smartData([]), reason: late } });
    expect(await last()).toBe("Their health is out of date: it was not done in time.");
    pretendSections(view, { smart: null });
    expect(await last()).toBe("Their health is not known yet: look again in a few seconds.");
    // Switched off in the configuration: nobody misses it.
    const off = await daemon({ toml: "[collectors.smart]\nenabled = false\n" });
    expect((await off.run(["drives"])).stdout).toMatch(/\n15 drives, looked at 12 s ago\n$/);
  });
});
