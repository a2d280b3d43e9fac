/** `foundry-agent enroll`: register this node with a key that is used once and kept nowhere. */
import { apiToEnroll, controlApi } from "../../control/index.ts";
import { templateProblem } from "../../model/text/name-template.ts";
import { looksSecret, printable } from "../../model/text/scrub.ts";
import { readSecretFile } from "../../system/secret-file.ts";
import { EXIT, type Io, printJson } from "../output.ts";
import { askSecret, type Input, readAllInput } from "../prompt.ts";
import { CLIENT_OPTIONS, type Client, openClient } from "../socket/client.ts";
import { nextStepHere } from "../text/next-step.ts";
import { type SubCommand, usageError } from "../usage.ts";

/** A word that can be one; anything else may be a key that ended up in the wrong place. */
const API_NAME = /^[a-z]{1,32}$/i;

/** @param input stdin; given in tests */
export function enrollCommandWith(input: () => Input): SubCommand {
  return {
    name: "enroll",
    summary: "register this node with a control API",
    usage: "[API] [--api API] [--key-file -|FILE] [--name TEMPLATE] [--json] [--socket PATH]",
    words: true,
    options: {
      api: { type: "string", value: "API", help: "the control API, which may also be named without this" },
      "key-file": {
        type: "string",
        value: "-|FILE",
        help: "where the key is; - or nothing: stdin, typed unseen on a terminal",
      },
      name: {
        type: "string",
        value: "TEMPLATE",
        help: "name to register under; {hostname} and {serial} stand for this node's own",
      },
      ...CLIENT_OPTIONS,
    },
    examples: [
      "foundry-agent enroll",
      "pass show enrol-key | foundry-agent enroll --key-file - --name 'rack4-{hostname}'",
    ],
    async run({ values, positionals }, io) {
      const named = [...(typeof values.api === "string" ? [values.api] : []), ...positionals];
      // A key on the command line would be in the shell's history and in every process list.
      if (named.some((word) => looksSecret(word) || !API_NAME.test(word)))
        throw usageError(
          "a key is not given on the command line, where others can see it",
          "foundry-agent enroll --key-file FILE",
        );
      const [asked = null, more] = named;
      if (more !== undefined)
        throw usageError(`enroll takes one control API, found "${more}" too`, "foundry-agent enroll --help");
      const wrongName = typeof values.name === "string" ? templateProblem(values.name) : null;
      if (wrongName !== null) throw usageError(wrongName, "foundry-agent enroll --name 'rack4-{hostname}'");
      const client = await openClient(io, values, "control");
      const api = await chosen(asked, client);
      const asks = byKey(api);
      const key = await readKey(values["key-file"], asks?.key ?? "Key", input(), io);
      const caution = asks?.caution(key) ?? null;
      if (caution !== null) io.stderr(`${caution}\n`);
      const name = typeof values.name === "string" ? { name: values.name } : {};
      const {
        node_id: nodeId,
        node_name: nodeName,
        mode,
      } = await client.post("/v1/enroll", {
        body: { api, key, ...name },
      });
      if (values.json === true) printJson(io, { node_id: nodeId, node_name: nodeName, mode });
      else
        io.stdout(
          `Registered with ${printable(api)} as ${printable(nodeId)}${nodeName === null ? "" : `, named ${printable(nodeName)}`}, mode ${printable(mode)}${modeNote(mode)}.\nThe key was not kept. See how it goes: ${nextStepHere("foundry-agent status", values.socket)}\n`,
        );
      return EXIT.ok;
    },
  };
}

export const enrollCommand: SubCommand = enrollCommandWith(() => process.stdin);

/** Nobody is to look for a key of an API that is not there. @throws AgentError `no_such_api` in the daemon's words, or as apiToEnroll */
async function chosen(asked: string | null, client: Client): Promise<string> {
  const { control_apis: apis } = await client.get("/v1/status");
  const known = asked === null || apis.some(({ name }) => name === asked);
  if (apis.length > 0 && known) return apiToEnroll(asked, apis);
  await client.text("/v1/preview/{api}", { params: { api: asked ?? "any" } });
  return asked ?? "";
}

/** What its key is, where it takes one. */
function byKey(api: string) {
  const enroll = controlApi(api)?.enroll;
  return enroll !== undefined && "key" in enroll ? enroll : null;
}

/** @param what the key is */
async function readKey(file: unknown, what: string, input: Input, io: Io): Promise<string> {
  const typed = typeof file !== "string" || file === "-";
  const key = !typed
    ? readSecretFile(file)
    : input.isTTY === true
      ? (await askSecret(`${what} (not shown): `, input, io)).trim()
      : await readAllInput(input);
  if (key === "") throw usageError("no key was given", "foundry-agent enroll --key-file FILE");
  if (/[^\x21-\x7e]/.test(key))
    throw usageError(
      "a key is one word of plain characters; this is something else",
      "foundry-agent enroll --help",
    );
  return key;
}

function modeNote(mode: string): string {
  if (mode === "test") return " (hardware is never touched)";
  return mode === "read-only" ? " (nothing is sent)" : "";
}
