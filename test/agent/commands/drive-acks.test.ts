/** `drives ack` and `unack` over the sockets of a whole agent: what people type, what everybody sees of it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ACK_FILE } from "../../../src/store/file/ack-file.ts";
import { ask } from "../../support/agent/unix-http.ts";
import { driveRig } from "../../support/drives/drive-rig.ts";
import { ataJson } from "../../support/drives/fake-drives.ts";

it("accepts what sdb warns of, shows it everywhere, and takes it back", async () => {
  const { agent, cli, drives } = await driveRig();
  drives.asked();
  const codes = () =>
    agent.view
      .status()
      .conditions.filter(({ subject }) => subject === "sdb")
      .map(({ code, severity }) => `${code} ${severity}`);
  expect(codes()).toEqual(["smart_warning warning"]);
  const done = await cli("drives", "ack", "PENDING-2", "--note", "known since 2024");
  expect([done.code, done.stdout]).toEqual([
    0,
    expect.stringMatching(
      /^Known and accepted of PENDING-2: pending_sectors up to 3, reallocated_sectors up to 20\.\nIt warns again when .*\nTo take it back: foundry-agent drives unack PENDING-2 --socket \S+\n$/,
    ),
  ]);
  expect(codes()).toEqual(["smart_acknowledged info"]);
  // Judged from what they said, without waking anybody.
  expect(drives.asked()).toEqual([]);
  expect((await cli("drives")).stdout).toMatch(/sdb .* known /);
  const one = (await cli("drives", "sdb")).stdout;
  expect(one).toMatch(/^ {2}known .*; asked/m);
  expect(one).toMatch(/Known and accepted\./);
  expect(one).toMatch(/Accepted by \S+ just now \(pending_sectors, reallocated_sectors\): known since 2024/);
  const json = JSON.parse((await cli("drives", "sdb", "--json")).stdout);
  expect((json.data ?? json).smart.acknowledged.note).toBe("known since 2024");
  const open = await ask(agent.statusSocket, "/v1/drives/sdb");
  expect(open.json.data.smart).toMatchObject({ severity: "ok", acknowledged: { note: null, by: null } });
  expect(open.text).not.toContain("known since 2024");
  const metrics = (await ask(agent.statusSocket, "/metrics")).text;
  for (const reason of ["pending_sectors", "reallocated_sectors"])
    expect(metrics).toContain(`foundry_agent_smart_acknowledged{device="sdb",reason="${reason}"} 1`);
  expect((await ask(agent.statusSocket, "/v1/why")).text).toContain("smart_acknowledged");
  const file = JSON.parse(readFileSync(join(agent.view.status().stateFolder, ACK_FILE), "utf8"));
  expect(file.drives).toMatchObject([{ drive: "PENDING-2", note: "known since 2024" }]);
  expect((await cli("drives", "unack", "sdb")).stdout).toBe(
    "Nothing of the drive sdb is accepted any more: it warns as before.\n",
  );
  expect(codes()).toEqual(["smart_warning warning"]);
  const events = agent.view.eventsSince("", 100).map(({ type }) => type);
  expect(events).toEqual(expect.arrayContaining(["drive.acknowledged", "drive.unacknowledged"]));
  expect((await cli("drives", "unack", "sdb")).stderr).toContain('nothing is accepted of the drive "sdb"');
});

it("says what stands in the way", async () => {
  const { agent, cli, post } = await driveRig();
  const said = async (...argv: string[]) => (await cli("drives", ...argv)).stderr;
  expect(await said("ack", "sdc")).toContain("the drive is failing, and that is never taken as known");
  expect(await said("ack", "sda")).toContain("there is no warning on this drive");
  expect(await said("ack", "sdz")).toContain('there is no drive with the name, serial number or id "sdz"');
  expect(await said("ack", "sdb", "hot")).toContain('"hot" is none of the drive\'s reasons');
  expect(await said("ack", "sdb", "--note", "x".repeat(501))).toContain("the note has 501 characters");
  expect(await said("--note", "x")).toContain("--note belongs to drives ack");
  const [status] = await post("/v1/drives/sdb/ack", { note: "x".repeat(501) });
  expect(status).toBe(400);
  expect(
    (await ask(agent.statusSocket, "/v1/drives/sdb/ack", { method: "POST", body: "{}" })).status,
  ).not.toBe(200);
  expect(existsSync(join(agent.view.status().stateFolder, ACK_FILE))).toBe(false);
});

it("can be taken back of a drive that is gone", async () => {
  const { agent, cli, drives } = await driveRig();
  drives.says("/dev/sda", "sat", ataJson("HEALTHY-1", {}, { 197: 1 }));
  await agent.view.collect("smart");
  expect((await cli("drives", "ack", "sda")).code).toBe(0);
  drives.scan([]);
  await agent.view.collect("smart");
  expect((await cli("drives", "unack", "HEALTHY-1")).code).toBe(0);
});
