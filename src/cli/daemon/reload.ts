/** `foundry-agent reload`: have the configuration read again; a bad one changes nothing. */
import { printable } from "../../model/text/scrub.ts";
import { EXIT, printJson } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import type { SubCommand } from "../usage.ts";

export const reloadCommand: SubCommand = {
  name: "reload",
  summary: "have the agent read its configuration again",
  usage: "[--json] [--socket PATH]",
  options: CLIENT_OPTIONS,
  examples: ["foundry-agent config check && foundry-agent reload"],
  async run({ values }, io) {
    const client = await openClient(io, values, "control");
    const { ok, problems } = await client.post("/v1/reload");
    if (values.json === true) printJson(io, { ok, problems });
    else if (ok) io.stdout("The configuration was read again and holds now.\n");
    else {
      io.stdout(
        `The configuration was not taken over; the one before still holds.\n${problems.map((one) => `  ${printable(one)}\n`).join("")}`,
      );
    }
    return ok ? EXIT.ok : EXIT.failed;
  },
};
