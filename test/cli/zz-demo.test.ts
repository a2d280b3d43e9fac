import { test } from "vitest";
import { statusCommand } from "../../src/cli/status.ts";
import { reportCommand } from "../../src/cli/report.ts";
import { drivesCommand } from "../../src/cli/drives.ts";
import { networkCommand } from "../../src/cli/network.ts";
import { eventsCommand } from "../../src/cli/events.ts";
import { syncCommand } from "../../src/cli/sync.ts";
import { collectCommand } from "../../src/cli/collect.ts";
import { checkCommand } from "../../src/cli/check.ts";
import { whyCommand } from "../../src/cli/why.ts";
import { enrollCommand } from "../../src/cli/enroll.ts";
import { drivesCollector } from "../../src/collectors/drives.ts";
import { runCli } from "../support/io.ts";
import { jbod, jbodSerial } from "../support/jbod.ts";
import { startServer } from "../support/unix-http.ts";
import { collectSections, NOW, testView, section } from "../support/view.ts";
const all = [statusCommand, reportCommand, drivesCommand, networkCommand, eventsCommand, syncCommand, collectCommand, checkCommand, whyCommand, enrollCommand];
test("demo", async () => {
  const view = await testView();
  const j = await collectSections([drivesCollector()], jbod(4, {pulled: [2], pathOffline: [3]}));
  const gone = { id: "wwn-0x5000c500cafe0020", serial: jbodSerial(2), model: "ST16000NM002G", last_name: "sdd", enclosure: "0x500304801f3a4b3f", slot: "2", size_bytes: 16e12, since: "2025-10-09T08:00:00.000Z" };
  const server = await startServer({ view });
  const run = async (...argv: string[]) => { const r = await runCli(all, [...argv, "--socket", server.controlSocket], {now: () => NOW}); console.log(`$ foundry-agent ${argv.join(" ")}  → ${r.code}\n${r.stdout}${r.stderr}`); };
  await run("status");
  await run("drives");
  view.sections.drives = { ...section("drives", {...(j.drives?.data as object), missing: [gone]}) };
  view.state = {...view.state, status: "degraded", conditions: [
   { code: "drive_missing", subject: jbodSerial(2), severity: "warning", text: `A drive is gone (ST16000NM002G, slot 2, last sdd) since 2025-10-09T08:00:00.000Z.`, nextStep: `Put it back or replace it; if it was taken out for good: foundry-agent drives forget ${jbodSerial(2)}`, since: NOW-5e6 },
   { code: "clock_wrong", severity: "error", text: `The clock is 3 h behind.`, nextStep: null, since: NOW-5000 },
  ], controlApis: [{...view.state.controlApis[0]!, breaker: "open", failures: 3, lastError: {code: "x", text: "api.nodefoundry.io does not answer (ECONNREFUSED)", at: NOW - 60000}}, {...view.state.controlApis[0]!, name: "netbox", enrolled: false, lastSyncAt: null, nodeId: null}], spool: {events: 10000, bytes: 5e6, dropped: 12}, hold: {reason: "disk work", until: NOW + 3600e3}};
  view.happen({type: "drive.missing", severity: "warning", data: gone});
  view.happen({type: "condition.raised", severity: "warning", data: {code: "x", text: "A drive is gone."}});
  view.happen({type: "reboot", severity: "info", data: {boot_id: "b", cause: null, clean: true}});
  for (const c of ["status", "drives", "drives sda", "drives sdzz", "network", "report", "report cpu", "report system", "report memory", "events --since all", "sync", "collect drives", "collect memory", "check", "why", "why cpu", "why clock_wrong", "why zz", "report --as nodefoundry", "enroll nf_en_x"]) await run(...c.split(" "));
});
