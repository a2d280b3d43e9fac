/** The host and its clock: systemd starts what died, shutdowns, power cuts, and time that passes at any moment. */
import { isFinal } from "../../../src/model/command.ts";
import { type Add, type Also, dead } from "./move.ts";
import type { World } from "./world.ts";

export function hostMoves(world: World, add: Add, fault: Add, also: Also): void {
  if (world.main === "dead") {
    const restart = { main: "top", spool: world.spool === "memory_refused" ? "" : world.spool } as const;
    if (world.shutdown === "") add("systemd starts main", restart);
    else fault("systemd starts main during the shutdown", restart);
  }
  const asked = world.record?.reboot != null || world.message;
  if (asked && world.clock === 0) add("the call deadline passes", { clock: 1 });
  // By now what was started is ended, unless its helper does not get to it.
  if (asked && world.clock === 1 && !world.program) add("its programs are over", { clock: 2 });
  if (asked && world.clock === 1 && world.program) add("its program is ended", { clock: 2, program: false });
  if (!world.cancelAsked && world.deliveries > 0) add("somebody cancels", { cancelAsked: true });
  if (world.shutdown === "") fault("somebody else shuts down", { shutdown: "other" });
  else fault("the shutdown is given up", { shutdown: "" });
  const down: World = {
    ...world,
    ...dead(),
    message: false,
    helper: "dead",
    program: false,
    shutdown: "",
    boot: world.boot + 1,
    spool: world.spool === "memory_refused" ? "" : world.spool,
  };
  fault("power cut", down);
  if (world.shutdown === "other") add("the host reboots for somebody else", down);
  if (world.shutdown === "command") {
    const over = world.record !== null && isFinal(world.record.state) && world.record.state !== "succeeded";
    const name = "the host reboots for it";
    const wrong = over ? { wrong: `a reboot after ${world.record?.state}` } : {};
    also({ name, to: { ...down, reboots: world.reboots + 1 }, fault: false, ...wrong });
  }
}
