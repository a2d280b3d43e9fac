/** The section `smart`: what drives say, identity, overrides, metrics, and nobody to ask. */
import { describe, expect, it } from "vitest";
import { isNoData } from "../../../src/collectors/collector.ts";
import { smartCollector } from "../../../src/collectors/smart/smart.ts";
import { noHelper } from "../../../src/helper/port.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { ataJson, driveTree } from "../../support/drives/fake-drives.ts";
import { capture } from "../../support/drives/smart.ts";
import { device, rig, SLEEPS, verdicts } from "../../support/drives/smart-rig.ts";
import { collectContext, treeMachine } from "../../support/machine/tree.ts";
import { collectData, conditionCodes, metricLines } from "../../support/text/shape.ts";

describe("what drives say", () => {
  it("own captures: ATA, NVMe that is read-only, SCSI that says nothing", async () => {
    const it = rig({ files: {} });
    it.drives.scan([
      { device: "/dev/sda", type: "scsi" },
      { device: "/dev/sdc", type: "sat" },
      { device: "/dev/nvme0", type: "nvme" },
    ]);
    // Not in sysfs here, so each is known by what its drive says of itself.
    it.drives.says("/dev/sda", "scsi", capture("vm-lab/smartctl-x-sda"), 4);
    it.drives.says("/dev/sdc", "sat", capture("vm-lab/smartctl-x-sdc"), 4);
    it.drives.says("/dev/nvme0", "nvme", capture("vm-lab/smartctl-x-nvme0-critical-warning-8"), 8);
    const data = await it.round();
    expect(verdicts(data)).toEqual([
      "nvme0 answered fail false",
      "sda answered unknown null",
      "sdc answered ok true",
    ]);
    expect(data.drives.map(({ id }) => id)).toEqual([
      "serial-LABNVME0001",
      "serial-LABSCSI0001",
      "wwn-0x5000c500deadbeef",
    ]);
    expect(conditionCodes(it.collector(), data)).toEqual(["smart_failing(nvme0)"]);
    expect(
      it
        .collector()
        .table?.rows(data, 0)
        .map((row) => row.slice(0, 4)),
    ).toEqual([
      ["nvme0", "QEMU NVMe Ctrl", "FAILING", "0 h"],
      ["sda", "LAB SCSIDISK", "not known", null],
      ["sdc", "LAB-ATA", "healthy", "1 h"],
    ]);
    const lines = metricLines(it.collector(), data);
    expect(lines).toContain('smartctl_device_smart_status{device="sdc"} 1');
    expect(lines).toContain('smartctl_device_smart_status{device="nvme0"} 0');
    expect(lines).toContain('smartctl_device_critical_warning{device="nvme0"} 8');
    expect(lines).toContain('smartctl_device_temperature{device="sdc",temperature_type="current"} 31');
    expect(lines).toContain(
      'smartctl_device_attribute{device="sdc",attribute_name="Reallocated_Sector_Ct",attribute_flags_short="PO----",attribute_flags_long="prefailure,updated_online",attribute_id="5",attribute_value_type="thresh"} 36',
    );
    expect(lines).toContain('foundry_agent_smart_verdict{device="sda",verdict="unknown"} 1');
    // What is not known is absent, not 0.
    expect(
      lines.filter(
        (line) => /smart_status|temperature|power_on|available_spare/.test(line) && line.includes('"sda"'),
      ),
    ).toEqual([]);
  });

  it("the same drive behind its controller is one drive with two ways, and asked once", async () => {
    const it = rig(driveTree({ sda: "S10" }));
    it.drives.scan([
      { device: "/dev/bus/0", type: "megaraid,0" },
      { device: "/dev/bus/0", type: "sat+megaraid,1" },
      { device: "/dev/sda", type: "sat" },
    ]);
    it.drives.says("/dev/sda", "sat", ataJson("S10"));
    it.drives.says("/dev/bus/0", "megaraid,0", ataJson("S10"));
    it.drives.says("/dev/bus/0", "sat+megaraid,1", ataJson("S11"));
    const first = await it.round();
    expect(it.drives.asked()).toHaveLength(3);
    expect(first.drives.map((drive) => [drive.device, drive.serial, drive.paths.length])).toEqual([
      ["bus_0_sat+megaraid_1", "S11", 1],
      ["sda", "S10", 2],
    ]);
    const second = await it.round();
    expect(it.drives.asked().sort()).toEqual(["/dev/bus/0 sat+megaraid,1", "/dev/sda sat"]);
    expect(second.drives).toEqual(first.drives);
    it.drives.says("/dev/sda", "sat", SLEEPS, 3);
    expect(device(await it.round(), "sda")).toMatchObject({
      state: "asleep",
      serial: "S10",
      id: "wwn-0x5000c5000000000b",
    });
  });

  it("two ports of one drive are asked once", async () => {
    const tree = driveTree({ sda: "S20", sdb: "S20" });
    for (const name of ["sda", "sdb"])
      tree.files[`/sys/block/${name}/device/vpd_pg80`] = "\u0000\u0080\u0000\u0003S20";
    const it = rig(tree);
    it.drives.scan([
      { device: "/dev/sda", type: "scsi" },
      { device: "/dev/sdb", type: "scsi" },
    ]);
    it.drives.says("/dev/sda", "scsi", ataJson("S20"));
    const data = await it.round();
    expect(it.drives.asked()).toEqual(["/dev/sda scsi"]);
    expect(data.drives.map(({ paths }) => paths.map((path) => path.device))).toEqual([
      ["/dev/sda", "/dev/sdb"],
    ]);
  });

  it("a device letter that moved does not mix up two drives", async () => {
    const tree = driveTree({ sda: "S30", sdb: "S31" });
    const it = rig(tree);
    it.drives.scan([
      { device: "/dev/sda", type: "sat" },
      { device: "/dev/sdb", type: "sat" },
    ]);
    it.drives.says("/dev/sda", "sat", ataJson("S30", {}, { 197: 8 }));
    it.drives.says("/dev/sdb", "sat", ataJson("S31"));
    const before = await it.round();
    expect(device(before, "sda").severity).toBe("warn");
    const moved = rig(driveTree({ sda: "S31", sdb: "S30" }));
    moved.drives.scan([
      { device: "/dev/sda", type: "sat" },
      { device: "/dev/sdb", type: "sat" },
    ]);
    moved.memory.set(it.memory.get());
    moved.drives.says("/dev/sda", "sat", SLEEPS, 3);
    moved.drives.says("/dev/sdb", "sat", SLEEPS, 3);
    const after = await moved.round();
    expect(device(after, "sdb").last_verdict?.severity).toBe("warn");
    expect(device(after, "sda").last_verdict?.severity).toBe("ok");
  });

  it("a type from the configuration stands for what the scan found", async () => {
    const it = rig(driveTree({ sdb: "S40" }), {
      types: ["/dev/sdb usbjmicron", "/dev/sdx sat", "/dev/sdb sat; reboot", "/dev/sdb -x"],
    });
    it.drives.scan([{ device: "/dev/sdb", type: "scsi", open_error: "Unknown USB bridge" }]);
    it.drives.says("/dev/sdb", "usbjmicron", ataJson("S40"));
    const data = await it.round();
    expect(it.drives.asked()).toEqual(["/dev/sdb usbjmicron"]);
    expect(verdicts(data).sort()).toEqual(["sdb answered ok true", "sdx failed unknown null"]);
  });

  it("says of a drive whose type it does not pass on that it is not asked", async () => {
    const it = rig(driveTree({ sda: "S53", sdb: "S54" }));
    it.drives.scan([
      { device: "/dev/sda", type: "sat" },
      { device: "/dev/sdb", type: "usbnew,1" },
    ]);
    it.drives.says("/dev/sda", "sat", ataJson("S53"));
    const data = await it.round();
    expect(it.drives.asked()).toEqual(["/dev/sda sat"]);
    expect(device(data, "sdb").reasons).toEqual([
      {
        code: "type_not_passed_on",
        detail:
          "smartctl lists the drive with the type usbnew,1, which the agent does not know and so does not pass on.",
      },
    ]);
    expect(conditionCodes(it.collector(), data)).toEqual(["smart_type_unknown(sdb)"]);
  });

  it("says which may not be opened, and which speak a language of their own", async () => {
    const it = rig(driveTree({ sda: "S50", sdb: "S51", sdc: "S52" }));
    it.drives.scan([
      { device: "/dev/sda", type: "scsi", open_error: "Permission denied" },
      { device: "/dev/sdb", type: "scsi", open_error: "Unknown USB bridge [0x152d:0x0583]" },
      { device: "/dev/sdc", type: "sat" },
    ]);
    it.drives.says("/dev/sdc", "sat", ataJson("S52"));
    const data = await it.round();
    expect(verdicts(data)).toEqual([
      "sda failed unknown null",
      "sdb failed unknown null",
      "sdc answered ok true",
    ]);
    expect(conditionCodes(it.collector(), data)).toEqual(["smart_no_permission", "smart_type_unknown(sdb)"]);
  });
});

describe("nobody to ask", () => {
  it("without a helper there is none, with the next step", async () => {
    const collector = smartCollector({
      helper: noHelper("needs_helper", "sudo true"),
      history: null,
    });
    expect(await collector.collect(collectContext(treeMachine({ files: {} })))).toEqual({
      noData: "needs the helper",
      nextStep: "sudo true",
      code: "needs_helper",
    });
  });

  it("no device with SMART", async () => {
    const it = rig({ files: {} });
    it.drives.scan([{ device: "/dev/vda", type: "scsi" }]);
    const answer = await it.collector().collect(collectContext(it.machine));
    expect(isNoData(answer) && answer.noData).toContain("SMART");
  });

  it.each<[string, string, string]>([
    ["smartctl 6", "echo 'smartctl 6.6 2017-11-05'; exit 1", "smartctl_too_old"],
    ["garbage", "echo oops; exit 0", "smartctl_broken"],
  ])(
    "%s: one condition, and the drives known before are not known any more, but keep their alarm",
    async (_name, lines, expected) => {
      const it = rig(driveTree({ sda: "S95" }));
      it.drives.scan([{ device: "/dev/sda", type: "sat" }]);
      it.drives.says("/dev/sda", "sat", ataJson("S95"), 8);
      expect(device(await it.round(), "sda").severity).toBe("fail");
      it.drives.scanDoes(lines.replace(/; exit/, "; exit"));
      const data = await it.round();
      expect(device(data, "sda")).toMatchObject({ state: "failed", severity: "unknown", smart_ok: null });
      expect(device(data, "sda").values_at).not.toBeNull();
      expect(conditionCodes(it.collector(), data).sort()).toEqual(["smart_failing(sda)", expected].sort());
    },
  );

  it("smartctl that is not installed, and a helper that answers nonsense", async () => {
    const it = rig({ files: {} });
    const absent = smartCollector({
      helper: {
        how: { kind: "socket" },
        call: async () => {
          throw new AgentError("smartctl_missing", "smartctl is not installed", "apt install smartmontools");
        },
      },
      history: null,
    });
    const data = await collectData(absent, collectContext(it.machine));
    expect(data.drives).toEqual([]);
    expect(absent.conditions?.(data)).toMatchObject([
      { code: "smartctl_missing", nextStep: "apt install smartmontools" },
    ]);
    const nonsense = smartCollector({
      helper: { how: { kind: "socket" }, call: async () => ({ devices: 7 }) },
      history: null,
    });
    await expect(nonsense.collect(collectContext(it.machine))).rejects.toMatchObject({
      code: "helper_protocol",
    });
  });
});
