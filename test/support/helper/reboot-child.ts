/** A helper in a process of its own, whose programs come from PATH: for a systemctl that kills whoever runs it. argv: socket, policy, state folder, root of the host. */
import { journalLine } from "../../../src/helper/carry-out/audit.ts";
import { openHelperServer } from "../../../src/helper/link/server.ts";
import { openFiles } from "../../../src/system/files.ts";

const [socket = "", policyPath = "", stateFolder = "", root = ""] = process.argv.slice(2);
const server = await openHelperServer({
  listen: { path: socket },
  ...{ policyPath, stateFolder },
  files: openFiles(root),
  fileSystemType: () => 0xef53,
  audit: (...line) => process.stderr.write(journalLine(...line)),
});
process.stdout.write("listening\n");
process.once("SIGTERM", () => void server.close());
await server.ended;
