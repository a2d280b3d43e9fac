/** `[collectors.bmc]`: a BMC over the network only as the configuration names it, its password in a file. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { expect, it } from "vitest";
import { bmcCollector } from "../../../src/collectors/bmc/bmc.ts";
import { lanTarget } from "../../../src/collectors/bmc/options.ts";
import { openIpmitool } from "../../../src/helper/bmc/ipmitool.ts";
import { errorCode } from "../../../src/model/errors.ts";
import { NO_HELPER } from "../../support/helper/operations.ts";
import { fakePrograms } from "../../support/machine/programs.ts";
import { collectContext, temporaryFolder, treeMachine } from "../../support/machine/tree.ts";
import { collectData, conditionCodes } from "../../support/text/shape.ts";

function passwordFile(mode = 0o600): string {
  const path = join(temporaryFolder(), "bmc.password");
  writeFileSync(path, "s3cret-of-the-bmc\n", { mode });
  return path;
}

function codeOf(options: Record<string, unknown>): string {
  try {
    return lanTarget(options) === null ? "in-band" : "lan";
  } catch (error) {
    return errorCode(error);
  }
}

it("is in-band unless a host is named, and whole or refused", () => {
  const password_file = passwordFile();
  const whole = { host: "bmc-7.example.net", user: "monitor", password_file };
  expect(codeOf({})).toBe("in-band");
  expect(codeOf(whole)).toBe("lan");
  expect(codeOf({ ...whole, port: 6230, host: "2001:db8::7" })).toBe("lan");
  for (const wrong of [
    { host: "-I" },
    { host: "a b" },
    { host: "" },
    { user: "-f/etc/shadow" },
    { user: undefined },
    { port: 0 },
    { port: "623" },
    { password_file: undefined },
    { password_file: "relative" },
  ])
    expect([wrong, codeOf({ ...whole, ...wrong })]).toEqual([wrong, "bmc_option"]);
  expect(codeOf({ ...whole, password_file: "/nowhere/at/all" })).toBe("secret_missing");
  expect(codeOf({ ...whole, password_file: passwordFile(0o644) })).toBe("secret_exposed");
});

it("declares its options, so that a misspelt one is found", () => {
  const { options } = bmcCollector({ helper: NO_HELPER });
  expect(Object.keys(options)).toEqual(["host", "port", "user", "password_file"]);
  expect(v.is(options.host, "-P")).toBe(false);
});

it("gives ipmitool the file, never the password, and takes an older cipher suite where it must", async () => {
  const programs = fakePrograms();
  programs.put(
    "ipmitool",
    `case "$*" in *"-C 17"*) echo "Error in open session response message : invalid authentication algorithm" >&2; exit 1;; esac
     echo "Device ID : 32"; echo "Firmware Revision : 1.0"`,
  );
  const path = passwordFile();
  const target = { host: "192.0.2.9", port: 6230, user: "monitor", passwordFile: path };
  const signal = AbortSignal.timeout(10_000);
  const ipmitool = openIpmitool({ run: programs.run, signal, now: () => performance.now(), target });
  expect(await ipmitool("mc", "info")).toMatchObject({ ok: true });
  expect(await ipmitool("lan", "print")).toMatchObject({ ok: true });
  const to = `-I lanplus -H 192.0.2.9 -p 6230 -U monitor -f ${path} -C`;
  expect(programs.calls()).toEqual([`${to} 17 mc info`, `${to} 3 mc info`, `${to} 3 lan print`]);
  expect(JSON.stringify(programs.environments())).not.toContain("s3cret");
});

it("needs no helper out of band, and tells a refused login from a silent helper", async () => {
  const programs = fakePrograms();
  programs.put("ipmitool", "echo 'Error: Unable to establish IPMI v2 / RMCP+ session' >&2; exit 1");
  const collector = bmcCollector({ helper: NO_HELPER, run: programs.run });
  const options = { host: "192.0.2.9", user: "monitor", password_file: passwordFile() };
  const data = await collectData(collector, collectContext(treeMachine({ files: {} }), options));
  expect(data).toMatchObject({ source: "lan", firmware: null, sensors: null, sel: null });
  expect(conditionCodes(collector, data)).toEqual(["bmc_unreachable"]);
  expect(programs.calls()).toHaveLength(1);
});
