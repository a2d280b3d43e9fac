/** `foundry-agent smart-test`: start or end a self-test inside a drive. It goes on by itself; nobody waits here. */
import { printable } from "../../model/text/scrub.ts";
import type { SelfTestWire } from "../../sockets/wire/schemas.ts";
import { EXIT, printJson } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { duration } from "../text/format.ts";
import { nextStepHere } from "../text/next-step.ts";
import { type SubCommand, usageError } from "../usage.ts";

const TESTS = ["short", "long", "abort"] as const;

export const smartTestCommand: SubCommand = {
  name: "smart-test",
  summary: "let a drive test itself, or end such a test",
  usage: "DEVICE|SERIAL short|long|abort [--json] [--socket PATH]",
  words: true,
  options: CLIENT_OPTIONS,
  examples: ["foundry-agent smart-test sda short", "foundry-agent smart-test WD-1234 long"],
  async run({ values, positionals }, io) {
    const [drive, wanted, ...more] = positionals;
    if (drive === undefined || wanted === undefined || more.length > 0)
      throw usageError(
        "smart-test needs a drive and which test: short, long or abort",
        "foundry-agent smart-test --help",
      );
    const test = TESTS.find((one) => one === wanted);
    if (test === undefined)
      throw usageError(
        `"${wanted}" is no self-test: short, long or abort`,
        "foundry-agent smart-test --help",
      );
    const client = await openClient(io, values, "control");
    const answer = await client.post("/v1/drives/{drive}/smart-test", { params: { drive }, body: { test } });
    if (values.json === true) printJson(io, answer);
    else io.stdout(testedText(answer, values.socket));
    return EXIT.ok;
  },
};

function testedText({ name, test, minutes }: SelfTestWire, socket: unknown): string {
  const look = `foundry-agent drives ${name}`;
  const shown = printable(nextStepHere(look, socket));
  if (test === "abort") return `The self-test of ${printable(name)} is ended. What it came to: ${shown}\n`;
  const long =
    minutes === null
      ? "The drive does not say how long it takes"
      : `By the drive's own word it takes ${duration(minutes * 60_000)}, longer when it is busy`;
  return `${printable(name)} tests itself now (${test}). ${long}; it goes on working meanwhile.\nProgress and result: ${shown}\n`;
}
