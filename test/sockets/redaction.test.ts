import { describe, expect, test } from "vitest";
import { drivesCollector } from "../../src/collectors/drives/drives.ts";
import type { System } from "../../src/collectors/system/schema.ts";
import type { AgentView } from "../../src/sockets/agent-view.ts";
import { ROUTES } from "../../src/sockets/routes/table.ts";
import { pretendEvents, pretendSections, pretendStatus, section } from "../support/agent/pretend.ts";
import { FILLED, fullView, MEMBER_SERIAL } from "../support/agent/routes.ts";
import { ask, startServer } from "../support/agent/unix-http.ts";
import { jbod, jbodSerial } from "../support/drives/jbod.ts";
import { collectFrom } from "../support/machine/tree.ts";
import { NOW } from "../support/now.ts";

describe("redaction on status.sock", () => {
  /** Every string that identifies hardware in what the collectors found, asked of the whole machine. */
  async function canaryView(): Promise<{ view: AgentView; canaries: string[] }> {
    const drives = await collectFrom(drivesCollector(), jbod(4, { pulled: [2] }));
    const view = await fullView();
    const gone = {
      id: "wwn-0x5000c500cafe0020",
      serial: jbodSerial(2),
      model: "ST16000NM002G",
      last_name: "sdd",
      enclosure: "0x500304801f3a4b3f",
      slot: "2",
      size_bytes: 1,
      since: "2025-10-09T08:00:00.000Z",
    };
    pretendSections(view, { drives: { data: { ...drives, missing: [gone] } } });
    const canaries = [
      jbodSerial(1),
      jbodSerial(2),
      jbodSerial(3),
      MEMBER_SERIAL,
      "5000c500cafe0010",
      "5000c500cafe0020",
      "S64GNE0R000001",
      "SMC0515D95718C00",
      "500304801f3a4b3f",
    ];
    const serial = jbodSerial(2);
    pretendStatus(view, {
      conditions: [
        {
          code: "drive_missing",
          subject: serial,
          severity: "warning",
          text: `The drive ${serial} is gone.`,
          nextStep: `foundry-agent drives forget ${serial}`,
          since: NOW,
        },
      ],
      controlApis: view.status().controlApis.map((api) => ({
        ...api,
        note: `sees ${serial}`,
        lastError: { code: "x", text: `no ${serial}`, at: NOW },
      })),
      hold: { reason: `waits for ${serial}`, by: "root", since: NOW, until: null },
    });
    const row = {
      id: "cmd_1",
      source: "local",
      epoch: "e",
      type: "drive.locate",
      state: "failed" as const,
      receivedAt: NOW,
      command: JSON.stringify({ params: { serial } }),
      error: { code: "x", message: `no ${serial}` },
    };
    view.commands = () => [row];
    view.command = (id) => (id === row.id ? row : null);
    view.commandRecord = () => null;
    const { happen } = pretendEvents(view);
    view.healthy = () => ({ ok: false, reason: `waits for ${serial}` });
    happen({ type: "drive.missing", data: gone });
    happen({
      type: "condition.raised",
      data: {
        code: "drive_missing",
        subject: serial,
        text: `gone: ${serial}`,
        next_step: `forget ${serial}`,
      },
    });
    // Of a drive that was forgotten nothing is known any more: its looks and the names of the fields must do.
    canaries.push("FORGOTTEN", "5000c500dead0001");
    happen({
      type: "drive.missing",
      data: {
        id: "serial-FORGOTTEN-1",
        serial: "FORGOTTEN-1",
        wwn: "0x5000c500dead0001",
        nested: { mac: "FORGOTTEN" },
      },
    });
    happen({
      type: "condition.cleared",
      data: { code: "drive_missing", subject: "FORGOTTEN-1", text: "A drive is gone: FORGOTTEN-1" },
    });
    const system = view.report().sections.system?.data as System;
    for (const value of [system.hardware?.product.serial, system.hardware?.product.uuid, system.machine_id])
      if (typeof value === "string") canaries.push(value);
    return { view, canaries };
  }

  test("nothing that identifies hardware is in any answer; on control.sock it is", async () => {
    const { view, canaries } = await canaryView();
    const server = await startServer({ view });
    const paths = ROUTES.filter((route) => route.socket === "status" && route.method === "GET").map(
      (route) => FILLED[route.path] ?? route.path,
    );
    paths.push(
      "/v1/why/drive_missing",
      "/v1/commands/cmd_1",
      "/v1/report/drives",
      "/v1/drives/nosuch",
      `/v1/why/nosuch`,
    );
    let shown = "";
    for (const path of paths) {
      const { text } = await ask(server.statusSocket, path);
      for (const canary of canaries)
        expect([path, canary, text.includes(canary)]).toEqual([path, canary, false]);
      shown += (await ask(server.controlSocket, path)).text;
    }
    for (const canary of canaries) expect([canary, shown.includes(canary)]).toEqual([canary, true]);
  });

  test("drives are found by device there, by serial and id on control.sock too", async () => {
    const { view } = await canaryView();
    const server = await startServer({ view });
    const find = async (socket: string, name: string) =>
      (await ask(socket, `/v1/drives/${encodeURIComponent(name)}`)).json.data?.name;
    const name = await find(server.controlSocket, jbodSerial(1));
    expect(name).toMatch(/^sd/);
    for (const socket of [server.statusSocket, server.controlSocket]) {
      expect(await find(socket, name)).toBe(name);
      expect(await find(socket, `/dev/${name}`)).toBe(name);
    }
    expect(await find(server.statusSocket, jbodSerial(1))).toBeUndefined();
    expect(await find(server.statusSocket, "wwn-0x5000c500cafe0010")).toBeUndefined();
    expect(await find(server.controlSocket, "wwn-0x5000c500cafe0010")).toBe(name);
  });

  test("what no collector declares is not shown there at all, and raw answers only when asked for", async () => {
    const view = await fullView();
    pretendSections(view, {
      unknown: section("unknown", { anything: "at all" }),
      local: section("local", { facts: { a: { raw: "RAW", shown: 1 } } }),
    });
    const server = await startServer({ view });
    expect((await ask(server.statusSocket, "/v1/report/unknown")).json.data.data).toBeNull();
    expect((await ask(server.controlSocket, "/v1/report/unknown")).json.data.data).toEqual({
      anything: "at all",
    });
    expect((await ask(server.controlSocket, "/v1/report/local")).text).not.toContain("RAW");
    expect((await ask(server.controlSocket, "/v1/report/local?raw=1")).text).toContain("RAW");
    expect((await ask(server.controlSocket, "/v1/report?raw=1")).text).toContain("RAW");
    const refused = await ask(server.statusSocket, "/v1/report/local?raw=1");
    expect([refused.status, refused.text.includes("RAW")]).toEqual([403, false]);
    expect((await ask(server.statusSocket, "/v1/report")).text).not.toContain("RAW");
  });
});
