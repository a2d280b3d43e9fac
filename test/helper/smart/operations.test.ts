/** smart.scan, smart.read and smart.test with programs that behave as smartctl does, and as it should not. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import type { OperationContext } from "../../../src/helper/operation.ts";
import { driveLane, isTypeKnown } from "../../../src/helper/smart/device.ts";
import { smartRead } from "../../../src/helper/smart/read.ts";
import { smartScan } from "../../../src/helper/smart/scan.ts";
import { smartTest } from "../../../src/helper/smart/test.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { hostClock } from "../../../src/system/clock.ts";
import { openFiles } from "../../../src/system/files.ts";
import { type RunProgram, runProgram } from "../../../src/system/program.ts";
import { FIXTURES, fakeSmartctl } from "../../support/drives/smart.ts";
import { layTree } from "../../support/machine/tree.ts";

const SCAN = join(FIXTURES, "vm-lab/smartctl-scan-open.json");
const ATA = join(FIXTURES, "vm-lab/smartctl-x-sdc.json");

function context(timeoutMs = 20_000, run: RunProgram = runProgram): OperationContext {
  const tree = {
    files: { "/sys/block/sda/size": "1", "/sys/block/vda/size": "1", "/sys/class/nvme/nvme0/state": "live" },
  };
  return {
    files: openFiles(layTree(tree)),
    clock: hostClock(),
    kept: new Map(),
    signal: AbortSignal.timeout(20_000),
    leftMs: () => 20_000,
    signed: null,
    step: () => undefined,
    begun: () => undefined,
    run: (argv, options) => run(argv, { ...options, timeoutMs: Math.min(timeoutMs, options.timeoutMs) }),
  };
}
const code = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return "done";
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return error.code;
  }
};
const SDA = { device: "/dev/sda", type: "sat" };

describe("arguments", () => {
  it.each([
    [{ device: "/dev/sda", type: "sat" }, true],
    [{ device: "/dev/bus/0", type: "sat+megaraid,12", raw: true }, true],
    [{ device: "/dev/nvme0", type: "nvme,0xffffffff" }, true],
    [{ device: "/dev/cciss/c0d0", type: "cciss,3" }, true],
    [{ device: "/dev/sda", type: "areca,5/2" }, true],
    [{ device: "/dev/sda", type: "aacraid,0,0,3" }, true],
    [{ device: "/dev/sdb", type: "usbjmicron,p,0" }, true],
    [{ device: "/dev/sdb", type: "jms56x,1" }, false],
    [{ device: "/dev/sdb", type: "usbcypress" }, true],
    [{ device: "/dev/sdb", type: "usbcypress,0x04" }, false],
    [{ device: "/dev/sda", type: "intelliprop,1" }, false],
    [{ device: "/dev/sda", type: "sat+intelliprop,1" }, false],
    [{ device: "/dev/sda", type: "sat", extra: 1 }, false],
    [{ device: "/dev/sda" }, false],
    [{ device: "/dev/../etc/shadow", type: "sat" }, false],
    [{ device: "/dev/sda;reboot", type: "sat" }, false],
    [{ device: "-x", type: "sat" }, false],
    [{ device: "/dev/disk/by-id/x", type: "sat" }, false],
    [{ device: "/dev/vda", type: "auto" }, false],
    [{ device: "/dev/mmcblk0", type: "auto" }, false],
    [{ device: "/dev/sda", type: "test" }, false],
    [{ device: "/dev/sda", type: "sat,auto+megaraid,3,force" }, false],
    [{ device: "/dev/sda", type: "jmb39x,0" }, false],
    [{ device: "/dev/sda", type: "sat -s off" }, false],
    [{ device: "/dev/sda", type: "megaraid,1000" }, false],
    [{ device: "/dev/sda", type: "" }, false],
    [{ device: 7, type: "sat" }, false],
  ])("%j → %s", (args, fits) => {
    expect(v.safeParse(smartRead.args, args).success).toBe(fits);
  });

  it("a test is short, long or abort, and the policy has a word in it", () => {
    expect(v.safeParse(smartTest.args, { ...SDA, test: "short" }).success).toBe(true);
    expect(v.safeParse(smartTest.args, { ...SDA, test: "offline" }).success).toBe(false);
    expect([smartScan.policy, smartRead.policy, smartTest.policy]).toEqual([null, null, "smart_test"]);
  });

  it("four at once, one a drive; behind a controller each member is a drive", () => {
    expect(smartRead.lanes(SDA)).toEqual([
      { name: "smart", limit: 4 },
      { name: "drive /dev/sda", limit: 1 },
    ]);
    expect(driveLane("/dev/sda", "scsi")).toBe(driveLane("/dev/sda", "sat,auto"));
    expect(driveLane("/dev/nvme0n1", "nvme")).toBe("drive /dev/nvme0");
    expect(driveLane("/dev/bus/0", "sat+megaraid,3")).toBe(driveLane("/dev/bus/0", "megaraid,3"));
    expect(driveLane("/dev/bus/0", "megaraid,3")).not.toBe(driveLane("/dev/bus/0", "megaraid,4"));
    expect(isTypeKnown("sntjmicron,1")).toBe(true);
  });
});

describe("smart.scan", () => {
  it("lists devices, and says which may not be opened", async () => {
    fakeSmartctl(`cat ${SCAN}`);
    expect(await smartScan.perform({}, context())).toEqual({
      smartctl_version: "7.3",
      opened: true,
      devices: [
        { name: "/dev/sda", type: "scsi", protocol: "SCSI", open_error: null },
        { name: "/dev/sdb", type: "scsi", protocol: "SCSI", open_error: null },
        { name: "/dev/sdc", type: "sat", protocol: "ATA", open_error: null },
        { name: "/dev/nvme0", type: "nvme", protocol: "NVMe", open_error: null },
      ],
    });
    fakeSmartctl(`cat ${join(FIXTURES, "vm-lab/smartctl-eperm-scan.json")}`);
    const denied = await smartScan.perform({}, context());
    expect(denied.devices.map((device) => device.open_error)).toEqual(Array(4).fill("Permission denied"));
  });

  it("leaves out what has no SMART, and says of types nobody knows that they are not passed on", async () => {
    const device = (name: string, type: string) => `{"name":"${name}","type":"${type}","protocol":"x"}`;
    const list = [
      device("/dev/vda", "scsi"),
      device("/dev/mmcblk0", "scsi"),
      device("/dev/sdb", "--help"),
      '{"name":7}',
      device("/dev/bus/0", "megaraid,1"),
    ];
    fakeSmartctl(`echo '{"smartctl":{"version":[7,1]},"devices":[${list.join(",")}]}'`);
    const answer = await smartScan.perform({}, context());
    expect(answer.devices.map(({ name, type, open_error }) => `${name} ${type} ${open_error}`)).toEqual([
      "/dev/sdb --help the type --help is not passed on",
      "/dev/bus/0 megaraid,1 null",
    ]);
  });

  it("a drive that hangs in it: the list is made without opening, with types left to smartctl", async () => {
    const folder = fakeSmartctl(
      `case "$1" in --scan-open) exec sleep 600;; *) cat ${SCAN}; echo "$*" > "$0.args";; esac`,
    );
    const answer = await smartScan.perform({}, context(300));
    expect(answer.opened).toBe(false);
    expect(answer.devices.map(({ type }) => type)).toEqual(["auto", "auto", "sat", "nvme"]);
    expect(readFileSync(join(folder, "smartctl.args"), "utf8")).toBe("--scan --json=c\n");
    fakeSmartctl(`[ "$1" = --scan ] && cat ${SCAN}`);
    expect((await smartScan.perform({ open: false }, context())).opened).toBe(false);
  });
});

describe("smart.read", () => {
  it("runs exactly one command line, and gives facts and, when asked, all of the JSON", async () => {
    const folder = fakeSmartctl(`echo "$*" > "$0.args"; cat ${ATA}; exit 4`);
    const answer = await smartRead.perform({ ...SDA, raw: true }, context());
    expect(readFileSync(join(folder, "smartctl.args"), "utf8")).toBe(
      "--json=c -n standby,3 -x -d sat /dev/sda\n",
    );
    expect(answer.facts).toMatchObject({ exit_status: 4, serial: "LABATA0001", passed: true });
    expect(answer.raw).toEqual(JSON.parse(readFileSync(ATA, "utf8")));
    expect(await smartRead.perform(SDA, context())).not.toHaveProperty("raw");
  });

  it.each<[string, string, string]>([
    ["one that hangs", "exec sleep 600", "drive_hangs"],
    ["one that ignores SIGTERM", "trap '' TERM INT HUP; while :; do sleep 600; done", "drive_hangs"],
    ["one whose child holds its output", "sleep 600 & exec sleep 600", "drive_hangs"],
    ["garbage", "echo 'Segmentation fault {'", "smartctl_garbage"],
    ["nothing", "exit 2", "smartctl_empty"],
    ["half of it", `head -c 900 ${ATA}`, "smartctl_garbage"],
    [
      "smartctl 6",
      "echo 'smartctl 6.6 2017-11-05 r4594 [x86_64-linux]'; echo '=======> UNRECOGNIZED OPTION: json=c'; exit 1",
      "smartctl_too_old",
    ],
    ["one that is killed", "kill -9 $$", "smartctl_killed"],
  ])("%s", async (_name, script, expected) => {
    fakeSmartctl(script);
    expect(await code(smartRead.perform(SDA, context(400)))).toBe(expected);
  });

  it("endless output", async () => {
    fakeSmartctl("exec yes '{\"smartctl\":'");
    expect(await code(smartRead.perform(SDA, context()))).toBe("smartctl_endless");
  });

  it("what is not installed, or may not be run", async () => {
    const other =
      (path: string): RunProgram =>
      (argv, options) =>
        runProgram([path, ...argv.slice(1)], options);
    expect(await code(smartRead.perform(SDA, context(1_000, other("/nowhere/smartctl"))))).toBe(
      "smartctl_missing",
    );
    expect(await code(smartRead.perform(SDA, context(1_000, other(ATA))))).toBe("smartctl_not_allowed");
  });

  it("one that sleeps", async () => {
    fakeSmartctl(`cat ${join(FIXTURES, "vm-lab-replay/replay-n-standby-3-sleep.json")}; exit 3`);
    expect((await smartRead.perform(SDA, context())).facts).toMatchObject({ asleep: true, exit_status: 3 });
  });

  it("only drives of this machine: of sysfs, or of its own scan", async () => {
    fakeSmartctl(
      `case "$1" in --scan-open) echo '{"smartctl":{},"devices":[{"name":"/dev/bus/0","type":"megaraid,1"}]}';; *) cat ${ATA};; esac`,
    );
    const here = context();
    const member = { device: "/dev/bus/0", type: "megaraid,1" };
    expect(await code(smartRead.perform({ device: "/dev/sdz", type: "sat" }, here))).toBe("drive_unknown");
    expect(await code(smartRead.perform(member, here))).toBe("drive_unknown");
    expect(await code(smartRead.perform({ device: "/dev/nvme0", type: "nvme" }, here))).toBe("done");
    await smartScan.perform({}, here);
    expect(await code(smartRead.perform(member, here))).toBe("done");
  });
});

describe("smart.test", () => {
  it.each<["short" | "long" | "abort", string]>([
    ["short", "--json=c -t short -d sat /dev/sda"],
    ["long", "--json=c -t long -d sat /dev/sda"],
    ["abort", "--json=c -X -d sat /dev/sda"],
  ])("%s", async (test, args) => {
    const folder = fakeSmartctl(`echo "$*" > "$0.args"; echo '{"smartctl":{"exit_status":64}}'; exit 64`);
    expect(await smartTest.perform({ ...SDA, test }, context())).toEqual({ test, messages: [] });
    expect(readFileSync(join(folder, "smartctl.args"), "utf8")).toBe(`${args}\n`);
  });

  it("one that is refused says why", async () => {
    fakeSmartctl(`cat ${join(FIXTURES, "vm-lab/smartctl-eperm.json")}; exit 2`);
    const refused = smartTest.perform({ ...SDA, test: "long" }, context());
    await expect(refused).rejects.toMatchObject({
      code: "self_test_refused",
      message: expect.stringContaining("Permission denied"),
    });
    fakeSmartctl(`cat ${join(FIXTURES, "vm-lab/smartctl-selftest-ata.json")}; exit 4`);
    expect(await code(smartTest.perform({ ...SDA, test: "abort" }, context()))).toBe("self_test_refused");
  });
});
