/** A report with SMART from the installed service: asked by the daemon, read by the helper with a smartctl that plays recordings. */
import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROOT } from "../../../scripts/paths.mjs";
import { type Booted, boot, bootLacking, labDeb, until } from "../nspawn.ts";

const LACKING = bootLacking();
const RECORDINGS = join(ROOT, "test/fixtures/smart/vm-lab");

/** Plays what smartctl said of four drives in a VM, and notes as whom it was run. */
const SMARTCTL = `#!/bin/sh
for device; do :; done
echo "$device uid $(id -u) $(grep CapEff /proc/self/status)" >>/var/lib/foundry-agent-helper/smartctl.log
case "$*" in
  *--scan*) exec cat /usr/local/share/recordings/smartctl-scan-open.json ;;
esac
exec cat "/usr/local/share/recordings/smartctl-x-\${device#/dev/}.json"
`;

interface SmartSection {
  readonly state: string;
  readonly data: { readonly drives: readonly { device: string; serial: string; smart_ok: boolean | null }[] };
}

let system: Booted;

beforeAll(async () => {
  if (LACKING !== null) return;
  system = await boot("bookworm", {
    before(folder) {
      const at = join(folder, "usr/local");
      mkdirSync(join(at, "share/recordings"), { recursive: true });
      cpSync(RECORDINGS, join(at, "share/recordings"), { recursive: true });
      writeFileSync(join(at, "sbin/smartctl"), SMARTCTL);
      chmodSync(join(at, "sbin/smartctl"), 0o755);
    },
  });
  await system.ok("dpkg", "-i", await system.bring(labDeb()));
});
afterAll(async () => await system?.stop());

it("has the drives' SMART state through the helper", async (context) => {
  if (LACKING !== null) return context.skip(LACKING);
  const smart = await until("SMART was read", async () => {
    const { smart } = JSON.parse(await system.ok("foundry-agent", "report", "--json")).sections;
    return smart?.state === "ok" ? (smart as SmartSection) : null;
  });
  expect(smart.data.drives.map(({ device, serial, smart_ok }) => [device, serial, smart_ok])).toEqual([
    ["nvme0", "LABNVME0001", true],
    ["sda", "LABSCSI0001", null],
    ["sdb", "LABSAS0001", null],
    ["sdc", "LABATA0001", true],
  ]);
  const calls = (await system.ok("cat", "/var/lib/foundry-agent-helper/smartctl.log")).trim().split("\n");
  const asked = calls.map((call) => /^(\S+) (uid .*)$/.exec(call)?.slice(1) ?? [call]);
  expect(new Set(asked.map(([, asWhom]) => asWhom))).toEqual(new Set(["uid 0 CapEff:\t0000000000220002"]));
  const devices = new Set(asked.map(([device]) => device));
  for (const device of ["nvme0", "sda", "sdb", "sdc"]) expect(devices).toContain(`/dev/${device}`);
  const said = await system.journal("foundry-agent-helper");
  expect(said).toContain("smart.scan: done");
  // Of a round the first; how many more there were is told when a minute is over.
  expect(said).toMatch(/smart\.read: done device=\/dev\/\w+/);
});
