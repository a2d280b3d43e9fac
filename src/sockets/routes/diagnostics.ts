/** GET /v1/diagnostics: makes a bundle and answers with its bytes, so that whoever may ask needs no way to the state folder. */
import { readFileSync } from "node:fs";
import { AgentError, errorCode } from "../../model/errors.ts";
import type { Answer, RouteContext } from "./route.ts";

const GZIP_TYPE = "application/gzip";

/** @throws AgentError of `AgentView.diagnostics`, `diagnostics_not_readable` */
export async function readDiagnostics({ view, now }: RouteContext): Promise<Answer> {
  const { path } = await view.diagnostics();
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new AgentError(
      "diagnostics_not_readable",
      `the bundle ${path} was made and can't be read (${errorCode(error)})`,
      `ls -l ${path}`,
      { cause: error },
    );
  }
  const time = new Date(now()).toISOString().replace(/[-:]|\.\d+/g, "");
  return {
    bytes,
    type: GZIP_TYPE,
    fileName: `foundry-agent-diagnostics-${nodeName(view.report().sections)}-${time}.tar.gz`,
  };
}

/** As the report has it: a name that report.exclude keeps on this host must not leave it as a file's. */
function nodeName(sections: ReturnType<RouteContext["view"]["report"]>["sections"]): string {
  const { hostname } = (sections.system?.data ?? {}) as { hostname?: unknown };
  const safe = typeof hostname === "string" ? hostname.replace(/[^A-Za-z0-9-]+/g, "-").slice(0, 63) : "";
  return safe.replace(/^-+|-+$/g, "") || "node";
}
