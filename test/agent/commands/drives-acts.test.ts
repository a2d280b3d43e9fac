/** What may be asked of a drive over the sockets of a whole agent, with a real helper behind its own socket. */

import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ownFile } from "../../../src/model/text/own-file.ts";
import { pointedAt, sandbox } from "../../support/agent/server.ts";
import { ask } from "../../support/agent/unix-http.ts";
import { driveRig } from "../../support/drives/drive-rig.ts";
import { MEMBER, SERIALS } from "../../support/drives/healthy-drives.ts";
import { eventually } from "../../support/eventually.ts";

describe("looking", () => {
  it("joins what the kernel and smartctl know, and hides serial numbers on status.sock", async () => {
    const { agent } = await driveRig();
    const { data } = (await ask(agent.controlSocket, "/v1/drives")).json;
    const shown = data.drives.map(
      (drive: { name: string; smart: { severity: string; serial: string; device: string } }) =>
        `${drive.name} ${drive.smart.device} ${drive.smart.serial} ${drive.smart.severity}`,
    );
    expect(shown).toEqual([
      "sda sda HEALTHY-1 ok",
      "sdb sdb PENDING-2 warn",
      "sdc sdc FAILING-3 fail",
      "sdd sdd ASLEEP-4 ok",
      `${MEMBER} ${MEMBER} MEMBER-5 ok`,
    ]);
    expect(data.smart).toMatchObject({ state: "ok", reason: null, problem: null });
    const raws = data.drives[1].smart.facts.attributes.map(({ id, raw }: { id: number; raw: number }) => [
      id,
      raw,
    ]);
    expect(raws).toContainEqual([197, 3]);
    for (const name of ["MEMBER-5", MEMBER, `/dev/${MEMBER}`, "PENDING-2", "/dev/sdb"])
      expect((await ask(agent.controlSocket, `/v1/drives/${encodeURIComponent(name)}`)).status).toBe(200);
    const open = await ask(agent.statusSocket, "/v1/drives");
    expect(open.json.data.drives.map(({ name }: { name: string }) => name)).toEqual(
      data.drives.map(({ name }: { name: string }) => name),
    );
    const one = await ask(agent.statusSocket, "/v1/drives/sdb");
    expect(one.json.data.smart.reasons[0].code).toBe("pending_sectors");
    for (const serial of [...Object.values(SERIALS), "MEMBER-5", "5000c500"])
      expect([serial, `${open.text}${one.text}`.includes(serial)]).toEqual([serial, false]);
  });

  it("shows smartctl's own words fresh, on control.sock only, and keeps them nowhere", async () => {
    const { agent, drives, cli } = await driveRig();
    drives.asked();
    const raw = (await ask(agent.controlSocket, "/v1/drives/PENDING-2?raw=1")).json.data;
    expect([raw.serial_number, raw.ata_smart_attributes.revision]).toEqual(["PENDING-2", 1]);
    expect(drives.asked()).toEqual(["/dev/sdb sat"]);
    const printed = await cli("drives", MEMBER, "--raw");
    expect(JSON.parse(printed.stdout).nvme_smart_health_information_log.critical_warning).toBe(0);
    const refused = await ask(agent.statusSocket, "/v1/drives/sdb?raw=1");
    expect([refused.status, refused.json.error.next_step]).toEqual([
      403,
      "sudo foundry-agent drives sdb --raw",
    ]);
    expect(drives.asked()).toEqual(["/dev/bus/0 megaraid,3"]);
    expect((await ask(agent.controlSocket, "/v1/report?raw=1")).text).not.toContain("ata_smart_data");
  });
});

describe("the light", () => {
  it("blinks for a time, by whatever name the drive was meant, and is ended", async () => {
    const { post, lights, cli, house } = await driveRig();
    const before = Date.now();
    const [status, { data = {} }] = await post("/v1/drives/HEALTHY-1/locate", { on: true, for_s: 1_800 });
    expect([status, data.name, data.how, data.on, data.for_s]).toEqual([200, "sda", "ledctl", true, 1_800]);
    expect(Date.parse(String(data.off_at)) - before).toBeGreaterThanOrEqual(1_800_000);
    expect((await cli("drives", "locate", "sdb", "--for", "2h")).stdout).toMatch(
      /^The light of sdb blinks and goes off by itself in 2 h, at \d\d:\d\d UTC\.\nTo end it before: foundry-agent drives locate sdb --off --socket \S+\n$/,
    );
    expect((await cli("drives", "locate", "HEALTHY-1", "--off")).stdout).toBe(
      "The light of sda (HEALTHY-1) is off.\n",
    );
    expect(lights()).toEqual(["locate=/dev/sda", "locate=/dev/sdb", "locate_off=/dev/sda"]);
    expect(house.record().map(({ word, outcome }) => `${word} ${outcome.state}`)).toEqual([
      "locate done",
      "locate done",
      "locate done",
    ]);
  });

  it("is refused with the line to type (exit 4), and for what has no slot of its own", async () => {
    const { cli, lights, house } = await driveRig();
    house.policy('[allow]\nlocal = ["reboot"]\n');
    const denied = await cli("drives", "locate", "sda");
    expect([denied.code, denied.stderr]).toEqual([
      4,
      `foundry-agent: the policy does not let local do locate. To do: write local = ["reboot", "locate"] below [allow] in ${house.policyPath}\n`,
    ]);
    rmSync(house.policyPath);
    const without = await cli("drives", "locate", "sda");
    expect([without.code, without.stderr]).toEqual([
      4,
      expect.stringMatching(
        /there is no policy .*nothing that changes anything is done\. (?:Next: install -m 0644|To do: put policy\.toml) /,
      ),
    ]);
    const member = await cli("drives", "locate", "MEMBER-5");
    expect([member.code, member.stderr]).toEqual([1, expect.stringContaining("behind a RAID controller")]);
    expect((await cli("drives", "locate", "nosuch")).stderr).toContain('serial number or id "nosuch"');
    expect((await cli("drives", "locate", "sda", "--for", "soon")).code).toBe(2);
    expect((await cli("drives", "locate", "sda", "--for", "25h")).code).toBe(2);
    expect(lights()).toEqual([]);
  });
});

describe("a self-test", () => {
  it("is started and ended by the way smartctl asks the drive, and progress is looked for at once", async () => {
    const { agent, drives, cli, post } = await driveRig();
    const at = () => agent.view.report().sections.smart?.collectedAt ?? 0;
    const before = at();
    expect((await cli("smart-test", "HEALTHY-1", "long")).stdout).toMatch(
      /^sda tests itself now \(long\)\. By the drive's own word it takes 54 min, longer when it is busy; it goes on working meanwhile\.\nProgress and result: foundry-agent drives sda --socket \S+\n$/,
    );
    await eventually(() => at() > before);
    const [, started] = await post(`/v1/drives/${MEMBER}/smart-test`, { test: "short" });
    expect(started.data).toEqual({ name: MEMBER, test: "short", minutes: null });
    expect((await cli("smart-test", "sda", "abort")).stdout).toMatch(/^The self-test of sda is ended\./);
    expect(drives.tests()).toEqual([
      "--json=c -t long -d sat /dev/sda",
      "--json=c -t short -d megaraid,3 /dev/bus/0",
      "--json=c -X -d sat /dev/sda",
    ]);
  });

  it("is refused by the policy, and for what is no self-test", async () => {
    const { drives, cli, post, house } = await driveRig();
    house.policy('[allow]\nlocal = ["locate"]\n');
    expect(await cli("smart-test", "sda", "short")).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('To do: write local = ["locate", "smart_test"] below [allow] in '),
    });
    expect((await cli("smart-test", "sda", "medium")).code).toBe(2);
    expect((await cli("smart-test", "sda")).code).toBe(2);
    expect((await post("/v1/drives/sda/smart-test", { test: "medium" }))[0]).toBe(400);
    expect((await post("/v1/drives/sda/locate", { on: true, for_s: 0 }))[0]).toBe(400);
    expect(drives.tests()).toEqual([]);
  });
});

describe("who may not", () => {
  const CHANGES = [
    ["drives", "locate", "sda"],
    ["smart-test", "sda", "short"],
  ];

  it("a node with a test key looks, and leaves its hardware as it is; so does one without hardware = true", async () => {
    const server = await sandbox();
    const { agent, cli, lights, drives } = await driveRig({ toml: pointedAt(server.url) });
    await agent.view.enroll("nodefoundry", server.keys.test, {});
    for (const line of CHANGES)
      expect(await cli(...line)).toMatchObject({
        code: 4,
        stderr: expect.stringContaining(
          "this node is registered with a test key, so its hardware is never touched. Next: foundry-agent status",
        ),
      });
    expect((await cli("drives", "sda", "--raw")).code).toBe(0);
    expect([lights(), drives.tests()]).toEqual([[], []]);
    const off = await driveRig({ hardware: false });
    // Behind a RAID controller nothing could be lit either.
    for (const line of [...CHANGES, ["drives", "locate", MEMBER]])
      expect(await off.cli(...line)).toMatchObject({
        code: 4,
        stderr: expect.stringMatching(
          /may not touch hardware: .* To do: write hardware = true below \[agent\] in .*conf\.d/,
        ),
      });
    expect((await off.cli("drives", "sda", "--raw")).code).toBe(0);
    expect([off.lights(), off.drives.tests()]).toEqual([[], []]);
  });

  it("that it may not is said before that nobody could, with the agent's own file; a test key before all", async () => {
    const server = await sandbox();
    const { agent, cli } = await driveRig({ helper: false, hardware: false, toml: pointedAt(server.url) });
    for (const line of CHANGES)
      expect(await cli(...line)).toMatchObject({
        code: 4,
        stderr: expect.stringContaining(
          `hardware is false in its configuration. To do: write hardware = true below [agent] in ${ownFile(agent.configFile)}`,
        ),
      });
    await agent.view.enroll("nodefoundry", server.keys.test, {});
    for (const line of CHANGES)
      expect(await cli(...line)).toMatchObject({
        code: 4,
        stderr: expect.stringContaining("registered with a test key, so its hardware is never touched"),
      });
    expect((await cli("smart-test", "nosuch", "short")).code).toBe(1);
  });

  it("without a helper everything says what it needs, the table too", async () => {
    const { cli, lights, drives } = await driveRig({ helper: false });
    const needs =
      /needs the helper, which runs beside the installed service\.\nNext: foundry-agent helper --socket/;
    expect((await cli("drives")).stdout).toMatch(needs);
    expect((await cli("drives")).stdout).toMatch(/^DEVICE +MODEL +SIZE +TYPE +STATE\n/);
    expect((await cli("drives", "sda")).stdout).toMatch(
      /Health\n {2}No verdict on its health: it needs the helper/,
    );
    for (const line of [...CHANGES, ["drives", "sda", "--raw"]])
      expect(await cli(...line)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^foundry-agent: this needs the helper, which .* Next: foundry-agent helper /,
        ),
      });
    expect([lights(), drives.tests(), drives.started()]).toEqual([[], [], 0]);
  });

  it("as root with hardware = true drives are asked by the agent itself", async () => {
    const { cli } = await driveRig({ helper: false, root: true });
    expect(JSON.parse((await cli("drives", "sdc", "--raw")).stdout).serial_number).toBe("FAILING-3");
    expect((await cli("drives")).stdout).toMatch(/^sdc .* FAILING /m);
  });
});
