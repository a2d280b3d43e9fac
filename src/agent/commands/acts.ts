/** What command types may have the agent do for them. */
import type { Acts } from "../../commands/command-type.ts";
import { AgentError } from "../../model/errors.ts";
import { driveNames, joinedDrives, smartWay } from "../../sockets/routes/drives-with-smart.ts";
import type { Configured } from "../configured.ts";

export function commandActs(running: () => Configured, diagnostics: Acts["diagnostics"]): Acts {
  return {
    async collect(sections) {
      const { schedule, collectors } = running();
      const names = collectors.map(({ name }) => name);
      const unknown = sections?.find((name) => !names.includes(name));
      if (unknown !== undefined)
        throw new AgentError(
          "no_such_collector",
          `there is no section "${unknown}", there is ${names.join(", ")}`,
        );
      const done = await Promise.all((sections ?? names).map(async (name) => await schedule.runNow(name)));
      const failed = done
        .filter(({ state }) => state === "failed" || state === "stale")
        .map(({ name }) => name);
      return { collected: done.map(({ name }) => name).filter((name) => !failed.includes(name)), failed };
    },
    smartWay(device) {
      const { drives, smart } = running().report().sections;
      const whole = { drives: drives?.data ?? null, smart: smart?.data ?? null };
      const drive = joinedDrives(whole, whole).find((one) => driveNames(one).includes(device));
      if (drive === undefined)
        throw new AgentError("no_such_drive", `there is no drive ${device}`, "foundry-agent drives");
      const way = smartWay(drive);
      if (way === null)
        throw new AgentError(
          "no_smart",
          `${device} gives no SMART data, or was not asked yet`,
          "foundry-agent collect smart",
        );
      return way;
    },
    diagnostics,
  };
}
