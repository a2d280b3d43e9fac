/**
 * The executable and the shipped units on an emulated storage node: smartctl and ipmitool reach its disks and its
 * BMC by way of real kernel drivers, from inside the helper's sandbox. Elsewhere there are fakes in their place.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BmcData } from "../../src/collectors/bmc/schema.ts";
import type { SmartData } from "../../src/collectors/smart/schema.ts";
import { parsePrometheus } from "../support/text/prometheus.ts";
import { DIRECT, install, installLacking, UNITS } from "./install.ts";
import { until } from "./until.ts";
import { bootVm, SERIALS, type Vm } from "./vm.ts";

const LACKING = installLacking();

interface Collected<Data> {
  readonly state: string;
  readonly reason: { readonly text: string; readonly next_step: string | null } | null;
  readonly data: Data | null;
}

interface Happened {
  readonly id: string;
  readonly type: string;
  readonly severity: string;
  readonly data: Record<string, unknown>;
}

describe("an emulated storage node", () => {
  let vm: Vm;

  beforeAll(async () => {
    if (LACKING !== null) return;
    vm = await bootVm();
    await install(vm);
  });
  afterAll(async () => await vm?.stop());

  function real(name: string, test: () => Promise<void>): void {
    it(name, async (context) => {
      if (LACKING !== null) return context.skip(LACKING);
      await test();
    });
  }

  /** One collection, made now. */
  async function collect<Data>(name: string, more = ""): Promise<Collected<Data>> {
    const { stdout, said } = await vm.run(`foundry-agent collect ${name} --json ${more}`);
    expect(stdout, said).not.toBe("");
    return JSON.parse(stdout) as Collected<Data>;
  }
  async function smart(more = "") {
    const { state, data } = await collect<SmartData>("smart", more);
    expect(state).toBe("ok");
    const drive = (serial: string) => {
      const found = data?.drives.filter((one) => one.serial === serial) ?? [];
      if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} drives ${serial}`);
      return found[0];
    };
    return { data, drive };
  }
  async function events(since = "all"): Promise<Happened[]> {
    const lines = (await vm.ok(`foundry-agent events --since ${since} --json`)).trim().split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Happened);
  }
  /** What happens while `work` is done. */
  async function eventsOf(work: () => Promise<unknown>): Promise<Happened[]> {
    const before = new Set((await events()).map(({ id }) => id));
    await work();
    return (await events()).filter(({ id }) => !before.has(id));
  }
  const wrong = async (more = "") =>
    JSON.parse((await vm.run(`foundry-agent why --json ${more}`)).stdout) as {
      code: string;
      subject: string | null;
      severity: string;
    }[];
  const criticalWarning = (value: number) =>
    vm.qmp("qom-set", { path: "/machine/peripheral/nvmedev", property: "smart_critical_warning", value });

  function expectDisks({ data, drive }: Awaited<ReturnType<typeof smart>>): void {
    expect(data?.drives.map(({ serial }) => serial).sort()).toEqual(Object.values(SERIALS).sort());
    expect(drive(SERIALS.nvme)).toMatchObject({
      smart_ok: true,
      severity: "ok",
      facts: {
        protocol: "NVMe",
        temperature_c: 50,
        nvme: { critical_warning: 0, available_spare_percent: 0 },
      },
    });
    expect(drive(SERIALS.ata)).toMatchObject({
      smart_ok: true,
      severity: "ok",
      paths: [{ type: "sat" }],
      facts: { protocol: "ATA", temperature_c: 31, wwn: "0x5000c500deadbeef" },
    });
    expect(drive(SERIALS.ata).facts?.attributes).toContainEqual(
      expect.objectContaining({ id: 5, name: "Reallocated_Sector_Ct", raw: 0, prefail: true }),
    );
    // These have no SMART at all, which is not known and not failed.
    for (const serial of [SERIALS.scsi, SERIALS.sas])
      expect(drive(serial)).toMatchObject({
        smart_ok: null,
        severity: "unknown",
        reasons: [{ code: "unsupported" }],
        facts: { protocol: "SCSI", passed: null },
      });
  }

  function expectBmc({ state, data }: Collected<BmcData>): void {
    expect(state).toBe("ok");
    expect(data).toMatchObject({
      source: "in-band",
      answering: true,
      ipmi_version: "2.0",
      lan_channel: false, // QEMU's has none, and says so
      chassis: { power_on: true, drive_fault: false, cooling_fault: false },
      sensors: [{ id: "Watchdog", state: "ok" }],
      problems: [],
    });
  }

  real("has its disks asked by the helper while the daemon has no right", async () => {
    const pid = await vm.ok("systemctl show --value -p MainPID foundry-agent");
    const status = await vm.ok(`cat /proc/${pid.trim()}/status`);
    expect(status).toMatch(/^CapEff:\t0{16}$/m);
    expect(status).not.toMatch(/^Uid:\t0\b/m);
    expectDisks(await smart());
    expect(await wrong()).toEqual([]);
    const uid = Number(await vm.ok("id -u foundry-agent"));
    // Of a round the first read is a line; how many more there were is told after a minute, or when the helper ends.
    await until("the journal counts them", 120, async () => {
      const lines = (await vm.ok("journalctl -q -o cat -u foundry-agent-helper"))
        .split("\n")
        .filter((line) => line.startsWith("smart.read: "));
      expect(
        lines.filter((line) => !line.startsWith("smart.read: done") || !line.includes(` uid=${uid}`)),
      ).toEqual([]);
      const count = lines.reduce((sum, line) => sum + Number(/ more=(\d+)/.exec(line)?.[1] ?? 1), 0);
      return count >= Object.keys(SERIALS).length ? true : null;
    });
  });

  real(
    "has each critical warning of its NVMe told by the next collection, as a verdict, event and condition",
    async () => {
      // NVM Express Base Specification, SMART / Health Information, critical warning; QEMU knows the first five bits.
      for (const [value, severity, reason] of [
        [0x01, "fail", "spare_low"],
        [0x02, "warn", "hot"],
        [0x04, "fail", "reliability_degraded"],
        [0, "ok", null],
        [0x08, "fail", "read_only"],
        [0x12, "fail", "backup_failed"],
        [0, "ok", null],
      ] as const) {
        const what = `critical warning ${value}`;
        await criticalWarning(value);
        const told = await eventsOf(async () => {
          const drive = (await smart()).drive(SERIALS.nvme);
          expect(drive, what).toMatchObject({ severity, smart_ok: severity !== "fail" });
          expect(drive.reasons[0]?.code ?? null, what).toBe(reason);
          expect(drive.facts?.nvme?.critical_warning, what).toBe(value);
        });
        const conditions = await wrong();
        if (severity === "ok") expect(conditions, what).toEqual([]);
        else
          expect(conditions, what).toMatchObject([
            severity === "fail"
              ? { code: "smart_failing", severity: "error" }
              : { code: "smart_warning", severity: "warning" },
          ]);
        // From one failure to another the verdict stays, and so there is nothing to tell.
        const verdicts = told.filter(({ type }) => type === "drive.verdict");
        if (value !== 0x12)
          expect(verdicts, what).toMatchObject([
            {
              severity: { fail: "error", warn: "warning", ok: "info" }[severity],
              data: { serial: SERIALS.nvme, to: severity },
            },
          ]);
        else expect(verdicts, what).toEqual([]);
      }
    },
  );

  real("has smartctl_exporter's names on its metrics, and none for what is not known", async () => {
    const request = "GET /metrics HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n";
    const ask = `use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => "/run/foundry-agent/status.sock"); print $s "${request}"; print while <$s>;`;
    const answer = await vm.ok(`perl -e '${ask}'`);
    const families = parsePrometheus(answer.slice(answer.indexOf("\r\n\r\n") + 4));
    const devices = (name: string) =>
      families
        .get(name)
        ?.samples.map(({ labels }) => labels.device)
        .sort();
    const { data, drive } = await smart();
    expect(devices("smartctl_device")).toEqual(data?.drives.map(({ device }) => device).sort());
    expect(devices("foundry_agent_smart_verdict")).toEqual(devices("smartctl_device"));
    expect(devices("smartctl_device_smart_status")).toEqual(
      [drive(SERIALS.nvme).device, drive(SERIALS.ata).device].sort(),
    );
    expect(families.get("foundry_agent_bmc_answering")?.samples).toEqual([{ labels: {}, value: 1 }]);
  });

  real("asks its BMC in-band, and has a new critical entry of its log become an event", async () => {
    expectBmc(await collect("bmc"));
    // Add SEL Entry (IPMI 2.0, 31.6): power supply 31h, sensor-specific, "power supply input lost".
    const entry = [0, 0, 2, 0, 0, 0, 0, 0x20, 0, 4, 0x08, 0x31, 0x6f, 0x03, 0xff, 0xff];
    await vm.ok(`ipmitool raw 0x0a 0x44 ${entry.join(" ")}`);
    const told = await eventsOf(async () =>
      expect(await collect<BmcData>("bmc")).toMatchObject({ data: { sel: { entries: 1 } } }),
    );
    expect(told.filter(({ type }) => type.startsWith("bmc."))).toMatchObject([
      { type: "bmc.sel_critical", severity: "error", data: { event: "Power Supply AC lost" } },
    ]);
    expect((await eventsOf(() => collect("bmc"))).filter(({ type }) => type.startsWith("bmc."))).toEqual([]);
  });

  real("says what is missing without its helper, and goes on when it is back", async () => {
    await vm.ok("systemctl stop foundry-agent-helper.socket foundry-agent-helper.service");
    for (const name of ["smart", "bmc"])
      expect(await collect(name)).toMatchObject({
        state: "stale",
        reason: { code: "helper_absent", next_step: expect.stringContaining("foundry-agent-helper.socket") },
      });
    expect(await wrong()).toMatchObject([{ code: "helper_unavailable" }]);
    await vm.ok("systemctl start foundry-agent-helper.socket");
    expectDisks(await smart());
    expect(await wrong()).toEqual([]);
  });

  real(
    "finds the same in one process as root, without a helper, and misses a drive that the kernel lost",
    async () => {
      await vm.ok(UNITS.map((unit) => `systemctl stop ${unit}`).join(" && "));
      // In the minutes after a boot no drive is missed yet; this process is told that it was an hour ago.
      const hourAgo = "unshare --time --fork --boottime 3600";
      await vm.ok(
        `systemd-run -q --unit=direct -p Type=notify -p NotifyAccess=all ${hourAgo} foundry-agent run --config ${DIRECT}/config.toml`,
      );
      const there = `--socket ${DIRECT}/run`;
      expectDisks(await smart(there));
      await criticalWarning(0x08);
      expect((await smart(there)).drive(SERIALS.nvme)).toMatchObject({ severity: "fail", smart_ok: false });
      await criticalWarning(0);
      expect((await smart(there)).drive(SERIALS.nvme)).toMatchObject({ severity: "ok" });
      expectBmc(await collect("bmc", there));

      const { device } = (await smart(there)).drive(SERIALS.ata);
      const host = (await vm.ok(`readlink -f /sys/block/${device}/device`)).match(/\bhost\d+\b/)?.[0];
      await vm.ok(`echo 1 > /sys/block/${device}/device/delete`);
      expect(await collect("drives", there)).toMatchObject({ data: { missing: [{ serial: SERIALS.ata }] } });
      expect(await wrong(there)).toMatchObject([{ code: "drive_missing" }]);
      expect((await smart(there)).data?.drives.map(({ serial }) => serial)).not.toContain(SERIALS.ata);
      await vm.ok(`echo '- - -' > /sys/class/scsi_host/${host}/scan && udevadm settle`);
      expect(await collect("drives", there)).toMatchObject({ data: { missing: [] } });
      expect((await smart(there)).drive(SERIALS.ata)).toMatchObject({ smart_ok: true });
      expect(await wrong(there)).toEqual([]);
      await vm.ok("systemctl stop direct");
    },
  );
});
