/** Hands a command to the agent's journal, or only asks what stands in its way. */
import { AgentError } from "../../model/errors.ts";
import type { CommandWire, DryRunWire } from "../../sockets/wire/command-schemas.ts";
import type { Asked } from "../socket/asked.ts";
import type { Client } from "../socket/client.ts";

/** Body of POST /v1/commands. */
export type Wish = Omit<Asked<"POST", "/v1/commands">["body"], "dry_run">;

/** @throws AgentError the daemon's: the code it is refused with */
export async function submitCommand(client: Client, wish: Wish): Promise<CommandWire> {
  const answer = await client.post("/v1/commands", { body: wish });
  if ("dry_run" in answer) throw notAsked("only said what stands in the way");
  return answer;
}

/** Every gate with its verdict; nothing is done. @throws AgentError the daemon's */
export async function dryRun(client: Client, wish: Wish): Promise<DryRunWire> {
  const answer = await client.post("/v1/commands", { body: { ...wish, dry_run: true } });
  if ("dry_run" in answer) return answer;
  throw notAsked(`took the command as ${answer.id}`);
}

function notAsked(what: string): AgentError {
  return new AgentError(
    "bad_answer",
    `the agent ${what}, which it was not asked to`,
    "foundry-agent version",
  );
}
