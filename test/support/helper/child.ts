/**
 * A helper in a process of its own with one operation more: `act` appends its id-less line to a file, fsynced, and
 * kills the process where it is told to. argv: socket, policy, state folder, file of acts, when to die
 * (`lanes`: before the record; `before`: after the record, before the act; `after` the act; `never`).
 */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import * as v from "valibot";
import { journalLine } from "../../../src/helper/carry-out/audit.ts";
import { openHelperServer } from "../../../src/helper/link/server.ts";

const [socket = "", policyPath = "", stateFolder = "", actsFile = "", dies = "never"] = process.argv.slice(2);

function dieAt(moment: string): void {
  if (moment === dies) process.kill(process.pid, "SIGKILL");
}

const server = await openHelperServer({
  listen: { path: socket },
  policyPath,
  stateFolder,
  audit: (...line) => process.stderr.write(journalLine(...line)),
  moreOperations: [
    {
      name: "act",
      args: v.strictObject({ what: v.string() }),
      timeoutMs: 10_000,
      policy: "smart_test",
      lanes: () => {
        dieAt("lanes");
        return [];
      },
      async perform(args) {
        dieAt("before");
        const file = openSync(actsFile, "a");
        writeSync(file, `${(args as { what: string }).what}\n`);
        fsyncSync(file);
        closeSync(file);
        dieAt("after");
        return { acted: true };
      },
    },
  ],
});
process.stdout.write("listening\n");
process.once("SIGTERM", () => void server.close());
await server.ended;
