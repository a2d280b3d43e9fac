/**
 * What an administrator may have done to one drive: asked for its own words, lit, tested. The helper does it and
 * the host's policy allows it; decided here is only that a node which is not to touch hardware does not ask.
 */
import { randomUUID } from "node:crypto";
import type { Config } from "../../config/config.ts";
import type { Located } from "../../helper/locate/locate.ts";
import { AgentError } from "../../model/errors.ts";
import type { SmartReadAnswer } from "../../model/smart.ts";
import type { LocateWish, SmartWayName } from "../../sockets/agent-view.ts";
import { hardwareStep } from "../conditions/config.ts";
import type { Configured } from "../configured.ts";

/** An operation's own time-out is shorter; this includes waiting for its turn behind other drives. */
const CALL_MS = 60_000;

export interface DriveActs {
  mayTouchHardware(): Promise<void>;
  smartJson(way: SmartWayName): Promise<unknown>;
  locate(wish: LocateWish): Promise<Located>;
  selfTest(way: SmartWayName, test: "short" | "long" | "abort"): Promise<{ minutes: number | null }>;
}

export function driveActs(options: {
  readonly running: () => Configured;
  readonly settled: () => Promise<unknown>;
}): DriveActs {
  async function mayTouchHardware(): Promise<void> {
    await options.settled();
    const { loops, config } = options.running();
    mayTouch(
      config,
      loops.map((loop) => loop.api.status().mode),
    );
  }

  async function call(operation: string, args: object, changes: boolean): Promise<unknown> {
    if (changes) await mayTouchHardware();
    else await options.settled();
    const { helper } = options.running();
    const about = changes ? { id: randomUUID(), source: "local", deadlineMs: CALL_MS } : {};
    return await helper.call(operation, args, AbortSignal.timeout(CALL_MS), about);
  }

  async function read(way: SmartWayName): Promise<unknown> {
    const { device, type } = way;
    const { raw } = (await call("smart.read", { device, type, raw: true }, false)) as SmartReadAnswer;
    return raw ?? null;
  }

  return {
    mayTouchHardware,
    smartJson: read,
    locate: async (wish) => (await call("drive.locate", wish, true)) as Located,
    async selfTest({ device, type }, test) {
      await call("smart.test", { device, type, test }, true);
      // It runs or not, whatever reading says afterwards.
      const json = test === "abort" ? null : await read({ device, type }).catch(() => null);
      // Its failure is the section's own to tell.
      void options
        .running()
        .schedule.runNow("smart")
        .catch(() => undefined);
      return { minutes: test === "abort" ? null : minutesOf(json, test) };
    },
  };
}

/**
 * Hardware stays as it is, whoever asks, until the configuration says otherwise, and with a test key or one that
 * only reads whatever it says; so that is said first. @throws AgentError `refused_mode`, `refused_hardware`
 */
function mayTouch(
  config: Pick<Config, "agent" | "file">,
  modes: readonly ("live" | "test" | "read-only" | null)[],
): void {
  const mode = modes.find((one) => one === "test" || one === "read-only");
  if (mode !== undefined)
    throw new AgentError(
      "refused_mode",
      `this node is registered with a ${mode} key, so its hardware is never touched`,
      "foundry-agent status  # shows the mode of each control API",
    );
  if (config.agent.hardware) return;
  throw new AgentError(
    "refused_hardware",
    "this agent may not touch hardware: hardware is false in its configuration",
    hardwareStep(config),
  );
}

/** How long the drive says that it takes (ATA only; smartctl's JSON: `ata_smart_data.self_test.polling_minutes`). */
function minutesOf(json: unknown, test: "short" | "long"): number | null {
  const told = json as {
    ata_smart_data?: { self_test?: { polling_minutes?: { short?: unknown; extended?: unknown } } };
  } | null;
  const minutes = told?.ata_smart_data?.self_test?.polling_minutes;
  const found = test === "short" ? minutes?.short : minutes?.extended;
  return typeof found === "number" && found > 0 ? found : null;
}
