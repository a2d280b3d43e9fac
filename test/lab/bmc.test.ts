/**
 * The section `bmc` against a real IPMI responder and the real ipmitool: out of band as the configuration says,
 * and in-band with the helper's operations, whose ipmitool is a script that goes over the LAN (the kernel's
 * driver needs a BMC in the machine).
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, type TestContext } from "vitest";
import { bmcCollector } from "../../src/collectors/bmc/bmc.ts";
import { bmcConditions, bmcEvents } from "../../src/collectors/bmc/conditions.ts";
import type { BmcData } from "../../src/collectors/bmc/schema.ts";
import { bmcInfo, bmcLan, bmcSel, bmcSensors } from "../../src/helper/bmc/operations.ts";
import type { Clock } from "../../src/system/clock.ts";
import { type RunProgram, runProgram } from "../../src/system/program.ts";
import { NO_HELPER, operationsPort } from "../support/helper/operations.ts";
import { BMC_TREE } from "../support/machine/bmc.ts";
import { fakePrograms } from "../support/machine/programs.ts";
import { collectContext, temporaryFolder, treeMachine } from "../support/machine/tree.ts";
import { collectData } from "../support/text/shape.ts";
import { PASSWORD, type Simulator, simulatorLacking, startSimulator, USER } from "./ipmi-simulator.ts";

const LACKING = simulatorLacking();

describe("the BMC of the lab", () => {
  let simulator: Simulator;

  beforeEach(async (context: TestContext) => {
    if (LACKING !== null) return context.skip(LACKING);
    simulator = await startSimulator();
    return () => simulator.stop();
  });

  /** A collector on a machine without a BMC of its own, told of one by its configuration. */
  function outOfBand(over: Record<string, unknown> = {}) {
    const seen: { argv: readonly string[]; env: unknown }[] = [];
    const run: RunProgram = (argv, options) => {
      seen.push({ argv, env: options.env });
      return runProgram(argv, options);
    };
    const time = { monotonic: 1_000 };
    const clock: Clock = { now: () => Date.now(), monotonic: () => time.monotonic };
    const options = {
      host: "127.0.0.1",
      port: simulator.port,
      user: USER,
      password_file: simulator.passwordFile,
      ...over,
    };
    const context = {
      ...collectContext(treeMachine({ files: {} }, clock), options),
      signal: AbortSignal.timeout(120_000),
    };
    const collector = bmcCollector({ helper: NO_HELPER, run });
    return {
      seen,
      collect: (minutes = 0): Promise<BmcData> => {
        time.monotonic += minutes * 60_000;
        return collectData(collector, context);
      },
    };
  }

  const WHOLE = {
    answering: true,
    firmware: "2.13",
    ipmi_version: "2.0",
    manufacturer: "Super Micro Computer Inc.",
    lan: { source: "static", address: "192.0.2.10", netmask: "255.255.255.0", mac: "52:54:00:bc:00:01" },
    lan_channel: true,
    chassis: { power_on: true, drive_fault: false },
    sensors: [{ id: "CPU Temp", kind: "temperature", state: "ok", value: 42 }],
    problems: [],
  };

  it("is known whole out of band, its password in no argument and no environment", async () => {
    const { collect, seen } = outOfBand();
    const data = await collect();
    expect(data).toMatchObject({
      ...WHOLE,
      source: "lan",
      sel: { entries: 0, news: [{ what: "baseline" }] },
    });
    expect(JSON.stringify(data)).not.toMatch(/public|community/i);
    expect(JSON.stringify(seen)).not.toContain(PASSWORD);
    // Cipher suite 17 was refused by this one, so 3 was taken.
    expect(seen[0]?.argv).toContain("17");
    expect(seen[1]?.argv).toContain("3");
  });

  it("is known whole in-band, through the helper's operations", async () => {
    const programs = fakePrograms(30_000);
    const target = `-I lanplus -H 127.0.0.1 -p ${simulator.port} -U ${USER} -f '${simulator.passwordFile}' -C 3`;
    programs.put("ipmitool", `exec /usr/bin/env ipmitool ${target} "$@"`);
    const machine = treeMachine(BMC_TREE);
    const helper = operationsPort([bmcInfo, bmcLan, bmcSel, bmcSensors], {
      files: machine.files,
      run: programs.run,
    });
    expect(await collectData(bmcCollector({ helper }), collectContext(machine))).toMatchObject({
      ...WHOLE,
      source: "in-band",
    });
  });

  it("has new critical entries of its log become events, and a cleared log begin anew", async () => {
    const { collect } = outOfBand();
    await simulator.addEntry(0x08, 0x30, 0x6f, 0x01, 0xff, 0xff);
    const first = await collect();
    expect(bmcEvents(null, first)).toEqual([
      { type: "bmc.sel_baseline", severity: "info", data: { count: 1 } },
    ]);
    await simulator.addEntry(0x0d, 0x50, 0x6f, 0x00, 0xff, 0xff); // a drive is present
    await simulator.addEntry(0x08, 0x31, 0x6f, 0x03, 0xff, 0xff); // a power supply lost its AC
    await simulator.addEntry(0x0c, 0x40, 0x6f, 0x01, 0xff, 0x02); // uncorrectable ECC
    const second = await collect(10);
    expect(bmcEvents(first, second)).toMatchObject([
      { type: "bmc.sel_critical", severity: "error", data: { event: "Power Supply AC lost" } },
      { type: "bmc.sel_critical", severity: "error", data: { event: "Uncorrectable ECC" } },
    ]);
    expect(second.sel).toMatchObject({ entries: 4, last: { event: "Uncorrectable ECC" } });
    expect(bmcEvents(second, await collect(10))).toEqual([]);
    await simulator.ipmitool("sel", "clear");
    await simulator.addEntry(0x08, 0x31, 0x6f, 0x01, 0xff, 0xff);
    expect(bmcEvents(second, await collect(10))).toMatchObject([
      { type: "bmc.sel_cleared" },
      { type: "bmc.sel_critical", data: { event: "Failure detected" } },
    ]);
  });

  it("has a temperature beyond its threshold become a condition and an event", async () => {
    const { collect } = outOfBand();
    const cool = await collect();
    expect(bmcConditions(cool)).toEqual([]);
    simulator.temperature(95);
    await expect
      .poll(() => simulator.ipmitool("sel", "list"), { timeout: 10_000 })
      .toContain("Upper Critical going high");
    const hot = await collect(10);
    expect(bmcConditions(hot)).toMatchObject([
      { code: "bmc_temperature", subject: "CPU Temp", text: expect.stringContaining("95 degrees C") },
    ]);
    expect(bmcEvents(cool, hot)).toMatchObject([
      { data: { sensor: "Temperature CPU Temp", detail: "Reading 95 > Threshold 90 degrees C" } },
    ]);
  });

  it("is unreachable with a wrong password, and when it is gone", async () => {
    const wrong = join(temporaryFolder(), "wrong");
    writeFileSync(wrong, "not-the-password\n", { mode: 0o600 });
    for (const login of [{ user: "nobody" }, { password_file: wrong }])
      expect(bmcConditions(await outOfBand(login).collect())).toMatchObject([{ code: "bmc_unreachable" }]);
    const good = outOfBand();
    await good.collect();
    simulator.signal("SIGSTOP");
    const frozen = await good.collect(10);
    simulator.signal("SIGCONT");
    expect(bmcConditions(frozen)).toMatchObject([
      { code: expect.stringMatching(/^bmc_(?:unreachable|hang)$/) },
    ]);
    expect(frozen).toMatchObject({ firmware: "2.13", sensors: null });
    expect(await good.collect(30)).toMatchObject({ sensors: [{ value: 42 }], problems: [] });
  });
});
