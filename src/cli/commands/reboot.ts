/** `foundry-agent reboot`: asks, says what stands in the way, hands it to the journal and shows how far it comes. */

import { AgentError } from "../../model/errors.ts";
import { printable } from "../../model/text/scrub.ts";
import type { DryRunWire } from "../../sockets/wire/command-schemas.ts";
import { type RunProgram, runProgram } from "../../system/program.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { type Input, makeSure } from "../prompt.ts";
import { shownFor } from "../show/conditions.ts";
import { CLIENT_OPTIONS, type Client, openClient } from "../socket/client.ts";
import { nextStepHere } from "../text/next-step.ts";
import { type SubCommand, usageError } from "../usage.ts";
import { followCommand, POLL_MS } from "./follow.ts";
import { gatesText } from "./gates.ts";
import { rebootUnproven } from "./reboot-unproven.ts";
import { dryRun, submitCommand, type Wish } from "./submit.ts";

const AGAIN = "foundry-agent …";
const HELP = "foundry-agent reboot --help";
const REASON_MAX = 500;

/** By code of a refusal: what was typed, in a way that is not refused. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ["refused_mode", `${AGAIN} --test  # goes through all of it without touching anything`],
]);

export interface RebootParts {
  readonly input: () => Input;
  readonly run: RunProgram;
  readonly uid: () => number;
  readonly pollMs: number;
}

/** @param parts given in tests */
export function rebootCommandWith(parts: RebootParts): SubCommand {
  return {
    name: "reboot",
    summary: "reboot this host once, and prove it",
    usage:
      "[--hard] [--reason TEXT] [--no-drain] [--force] [--dry-run] [--test] [--yes] [--wait] [--unproven] [--json] [--socket PATH]",
    options: {
      hard: { type: "boolean", help: "do not stop services first: by the BMC, or at once" },
      reason: { type: "string", value: "TEXT", help: "why; kept with the command" },
      "no-drain": { type: "boolean", help: "leave Ceph's OSDs as they are" },
      force: { type: "boolean", help: "past windows, sessions and inhibitors, where the policy lets it" },
      "dry-run": { type: "boolean", help: "only say what stands in the way" },
      test: { type: "boolean", help: "go through all of it, but do not reboot" },
      yes: { type: "boolean", short: "y", help: "do not ask" },
      wait: { type: "boolean", help: "until it is over, or the host goes down" },
      unproven: { type: "boolean", help: "as root, without the agent and its journal: nothing proves it" },
      ...CLIENT_OPTIONS,
    },
    examples: [
      "foundry-agent reboot --dry-run",
      'foundry-agent reboot --reason "new kernel"',
      "foundry-agent reboot --no-drain --yes --wait",
    ],
    async run({ values }, io) {
      if (values.unproven === true) return await unproven(values, parts, io);
      checkReason(values.reason);
      const request: Wish = {
        type: "reboot",
        params: {
          method: values.hard === true ? "hard" : "graceful",
          drain_osds: values["no-drain"] !== true,
          ...(values.force === true && { force: true }),
        },
        mode: values.test === true ? "test" : "live",
        ...(typeof values.reason === "string" && { reason: values.reason }),
      };
      const client = await openClient(io, values, "control");
      const dry = await dryRun(client, request);
      if (values["dry-run"] === true) {
        if (values.json === true) printJson(io, dry);
        else io.stdout(gatesText(dry, shownFor(io, values.socket)));
        return dry.verdict === "refuse" ? EXIT.refused : EXIT.ok;
      }
      refuseNow(dry);
      if (values.test !== true) await ask(client, dry, values, parts.input, io);
      const taken = await submitCommand(client, request);
      if (values.wait === true || (io.isTty && values.json !== true)) {
        const { socket, json } = values;
        return (await followCommand(client, taken, { socket, json: json === true, pollMs: parts.pollMs }, io))
          .code;
      }
      if (values.json === true) printJson(io, taken);
      else {
        const look = nextStepHere(`foundry-agent commands ${taken.id}`, values.socket);
        io.stdout(`Taken as ${printable(taken.id)}. How far it is: ${printable(look)}\n`);
      }
      return EXIT.ok;
    },
  };
}

/** As the agent takes it, told in terms of the command line. @throws AgentError `usage` */
function checkReason(reason: unknown): void {
  if (typeof reason !== "string") return;
  const { length } = reason.trim();
  if (length > 0 && length <= REASON_MAX) return;
  throw usageError(
    length === 0
      ? "--reason needs a text"
      : `a reason may have ${REASON_MAX} characters, this one has ${length}`,
    'foundry-agent reboot --reason "new kernel"  # or without --reason',
  );
}

/** What will not change by waiting. @throws AgentError `refused` */
function refuseNow({ gates }: DryRunWire): void {
  const why = gates.find(({ verdict }) => verdict === "refuse")?.why ?? null;
  if (why === null) return;
  throw new AgentError("refused", why.text, INSTEAD.get(why.code) ?? why.next_step);
}

async function ask(
  client: Client,
  { gates }: DryRunWire,
  values: Record<string, unknown>,
  input: () => Input,
  io: Io,
): Promise<void> {
  if (values.yes === true) return;
  const { hostname } = await client.get("/v1/status");
  const waits = gates.flatMap(({ verdict, would }) => (verdict === "wait" && would !== null ? [would] : []));
  const before = waits.length === 0 ? "" : ` ${waits.join(" ")}`;
  const how =
    values.hard === true ? "hard: services are not stopped first" : "graceful: services are stopped first";
  await makeSure(printable(`${hostname} reboots (${how}).${before} Go on?`), AGAIN, {
    values,
    input: input(),
    io,
  });
}

async function unproven(values: Record<string, unknown>, parts: RebootParts, io: Io): Promise<number> {
  const other = ["wait", "dry-run", "test", "json", "force", "no-drain", "reason", "socket"].find(
    (name) => values[name] !== undefined,
  );
  if (other !== undefined) throw usageError(`--unproven asks no agent, so --${other} says nothing`, HELP);
  const { uid, run } = parts;
  const sure = (question: string): Promise<void> =>
    makeSure(question, AGAIN, { values, input: parts.input(), io });
  return await rebootUnproven(values.hard === true, { uid: uid(), run, sure }, io);
}

export const rebootCommand: SubCommand = rebootCommandWith({
  input: () => process.stdin,
  run: runProgram,
  uid: () => process.geteuid?.() ?? -1,
  pollMs: POLL_MS,
});
