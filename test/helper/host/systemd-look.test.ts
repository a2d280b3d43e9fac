/** `systemd.look`: what systemctl prints, as it is on systemd 252 and 257, and what is made of a systemd that says nothing. */
import { expect, it } from "vitest";
import { parseManager, parseUnits } from "../../../src/helper/host/systemd-look.ts";
import { rebootRig } from "../../support/helper/reboot.ts";

const SHOW = "SystemState=degraded\nUserspaceTimestampMonotonic=16243001\n";
const UNITS =
  "nginx.service        loaded failed     failed       A web server\nflap@1.service loaded activating auto-restart Flaps\n";
const script = (units: string): string =>
  `case "$1" in show) printf '${SHOW}';; list-units) printf '${units}';; esac`;

it("names what has failed, or is started again and again, and when userspace began", async () => {
  const { programs, call } = await rebootRig();
  programs.put("systemctl", script(UNITS));
  expect((await call("systemd.look", {})).result).toEqual({
    state: "degraded",
    userspace_started_ms: 16_243,
    failed: ["nginx.service", "flap@1.service"],
  });
  expect(programs.calls().sort()).toEqual([
    "list-units --all --full --plain --no-legend --no-pager --state=failed,auto-restart",
    "show --property=SystemState,UserspaceTimestampMonotonic",
  ]);
});

it.each([
  ["no systemd", { systemd: false }, "", "no_systemd"],
  ["one that fails", {}, "exit 1", "systemd_silent"],
  ["one that hangs", { limitMs: 200 }, "exec sleep 600", "systemd_silent"],
  ["none installed", {}, null, "program_missing"],
])("%s: no list of nothing", async (_name, options, text, code) => {
  const { programs, call } = await rebootRig(options);
  if (text !== null) programs.put("systemctl", text, { hangs: () => text.includes("sleep") });
  expect((await call("systemd.look", {})).code).toBe(code);
});

it("reads nothing into what it does not know", () => {
  expect(parseManager("")).toEqual({ state: null, userspace_started_ms: null });
  expect(parseManager("SystemState=\u001b[31m\nUserspaceTimestampMonotonic=soon\n")).toEqual({
    state: null,
    userspace_started_ms: null,
  });
  expect(parseUnits("\n \n")).toEqual([]);
  expect(parseUnits("x.service a b c\n".repeat(1_000))).toHaveLength(200);
});
