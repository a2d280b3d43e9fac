/** What is in a diagnostics bundle: read by who makes it, by its README and by the command line. Imports nothing. */

/** Folder in the archive: whoever unpacks it has one new folder and not ten files. */
export const BUNDLE_FOLDER = "foundry-agent-diagnostics";

/** File → what it holds, in the order of the archive; README.txt is before them. */
export const BUNDLE_FILES = [
  ["report.json", "the last report, as a control API gets it: without what report.exclude names"],
  ["conditions.json", "everything that is wrong now, worst first"],
  ["status.json", "the agent, its collectors and its control APIs"],
  ["commands.json", "the journal: the last 200 commands with their history"],
  ["events.ndjson", "the last 500 events, one JSON object a line, oldest first"],
  ["log.txt", "the last lines that this process logged, at most 500; journalctl has all"],
  ["versions.json", "versions of the agent, of what it is built from, of the kernel and the system"],
  [
    "config.toml",
    "every value in effect and where it comes from; secrets are in files, of which only the names are here",
  ],
] as const;

export const NOT_IN_IT =
  "No key, token, password or private key is in it, and nothing that report.exclude names. Serial numbers, MAC addresses and host names are, as in every report: read it before you give it away.";
