/** `foundry-agent diagnostics`: one file for whoever is asked for help, made by the daemon, written here. */
import { hash } from "node:crypto";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { BUNDLE_FILES, NOT_IN_IT } from "../../agent/diagnostics/contents.ts";
import { AgentError, errorCode } from "../../model/errors.ts";
import { printable } from "../../model/text/scrub.ts";
import { systemWords } from "../../model/text/system-words.ts";
import { EXIT, type Io, printJson, writeOut } from "../output.ts";
import { CLIENT_OPTIONS, openClient } from "../socket/client.ts";
import { bytes as size } from "../text/format.ts";
import { type SubCommand, usageError } from "../usage.ts";

const IN_IT = [["README.txt", "when, of which host, what is in it, what was cut"], ...BUNDLE_FILES] as const;
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
const ANOTHER = "foundry-agent diagnostics --output diagnostics-2.tar.gz  # one that is not there yet";

/** @param write bytes to stdout; given in tests */
export function diagnosticsCommandWith(write: (bytes: Uint8Array) => Promise<void>): SubCommand {
  return {
    name: "diagnostics",
    summary: "make a bundle for whoever helps: report, journal, log, without secrets",
    usage: "[--output FILE] [--json] [--socket PATH]",
    options: {
      output: { type: "string", short: "o", value: "FILE", help: "write it here; - for stdout" },
      ...CLIENT_OPTIONS,
    },
    examples: [
      "foundry-agent diagnostics",
      "foundry-agent diagnostics --output - | tar -tzf -  # what is in it",
    ],
    async run({ values }, io) {
      const output = typeof values.output === "string" ? values.output : null;
      if (output === "") throw usageError("--output needs a file, or - for stdout", ANOTHER);
      const toStdout = output === "-";
      if (toStdout && values.json === true) throw usageError("--json and the bundle can't both go to stdout");
      if (toStdout && io.isTty)
        throw usageError(
          "an archive is nothing for a terminal",
          "foundry-agent diagnostics --output - | tar -tzf -",
        );
      const client = await openClient(io, values, "control");
      // Before the daemon works for nothing, and then kept: nobody else can take the name meanwhile.
      const early = output === null || toStdout ? null : create(resolve(output));
      let got: Awaited<ReturnType<typeof client.bytes>>;
      try {
        got = await client.bytes("/v1/diagnostics");
      } catch (error) {
        early?.drop();
        throw error;
      }
      if (toStdout) await write(got.bytes);
      else {
        const file = early ?? create(resolve(nameOf(got.fileName)));
        file.fill(got.bytes);
        tell(file.path, got.bytes, values.json === true, io);
      }
      return EXIT.ok;
    },
  };
}

export const diagnosticsCommand: SubCommand = diagnosticsCommandWith(writeOut);

/** What the daemon proposes, where it is a plain name. */
function nameOf(proposed: string | null): string {
  return proposed !== null && FILE_NAME.test(proposed) ? proposed : "foundry-agent-diagnostics.tar.gz";
}

function create(path: string): { path: string; fill(bytes: Uint8Array): void; drop(): void } {
  let fd: number;
  try {
    fd = openSync(path, "wx", 0o600);
  } catch (error) {
    if (errorCode(error) === "EEXIST")
      throw new AgentError(
        "file_exists",
        `${printable(path)} is there already and is not overwritten`,
        ANOTHER,
      );
    throw notWritten(path, error);
  }
  const drop = (): void => {
    closeSync(fd);
    rmSync(path, { force: true });
  };
  return {
    path,
    drop,
    fill(bytes) {
      try {
        for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(writeSync(fd, rest));
      } catch (error) {
        drop();
        throw notWritten(path, error);
      }
      closeSync(fd);
    },
  };
}

function notWritten(path: string, error: unknown): AgentError {
  return new AgentError(
    "file_not_writable",
    `${printable(path)} can't be written: ${systemWords(error)}`,
    "foundry-agent diagnostics --output /var/tmp/diagnostics.tar.gz  # where you may write, and there is space",
    { cause: error },
  );
}

function tell(path: string, bytes: Uint8Array, json: boolean, io: Io): void {
  const sha256 = hash("sha256", bytes, "hex");
  if (json) {
    printJson(io, { path, bytes: bytes.length, sha256, files: IN_IT.map(([name]) => name) });
    return;
  }
  const files = IN_IT.map(([name, what]) => `  ${name.padEnd(16)} ${what}\n`).join("");
  io.stdout(
    `${printable(path)}\n${size(bytes.length)}, SHA-256 ${sha256}\n\nIn it:\n${files}\n${NOT_IN_IT}\n`,
  );
}
