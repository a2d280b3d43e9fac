/** `foundry-agent sandbox`: a control plane on loopback, to point agents and scripts at. */
import { startSandbox } from "../../sandbox/sandbox.ts";
import { EXIT } from "../output.ts";
import type { SubCommand } from "../usage.ts";

export const sandboxCommand: SubCommand = {
  name: "sandbox",
  summary: "run a control plane for trying out, on loopback",
  usage: "[--listen ADDRESS:PORT] [--state FILE] [--json]",
  options: {
    listen: { type: "string", value: "ADDRESS:PORT", help: "loopback only; any free port when left out" },
    state: {
      type: "string",
      value: "FILE",
      help: "keep keys, nodes and operations in this file over restarts; its folder must be there",
    },
    json: { type: "boolean", help: "print URL and keys as one line of JSON" },
  },
  examples: ["foundry-agent sandbox --listen 127.0.0.1:8080 --state /tmp/sandbox.json"],
  async run({ values }, io) {
    const sandbox = await startSandbox({
      ...(typeof values.listen === "string" ? { listen: values.listen } : {}),
      stateFile: typeof values.state === "string" ? values.state : null,
      log: (line) => io.stderr(`${line}\n`),
    });
    const { url, keys, apis } = sandbox;
    if (values.json === true) io.stdout(`${JSON.stringify({ url, keys })}\n`);
    else {
      io.stdout(`The sandbox answers at ${url} until Ctrl-C; "curl ${url}/" prints what it can do.\n\n`);
      io.stdout(apis.map((api) => api.welcome(url)).join("\n"));
    }
    await new Promise<void>((done) => {
      if (io.signal.aborted) done();
      else io.signal.addEventListener("abort", () => done(), { once: true });
    });
    await sandbox.close();
    return EXIT.ok;
  },
};
