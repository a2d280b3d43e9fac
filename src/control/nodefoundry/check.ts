/** `foundry-agent check`: step by step, so that the first thing that fails is the thing to mend. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { AgentError, errorCode, errorText } from "../../model/errors.ts";
import { clause } from "../../model/text/sentence.ts";
import type { CheckResult, ControlContext } from "../control-api.ts";
import { usesProxy } from "../http/proxy.ts";
import { serverTime } from "./answer-errors.ts";
import type { NodeFoundryConfig } from "./config-type.ts";
import type { Connection } from "./connection.ts";
import { readKeyFile } from "./key.ts";
import { keyKind } from "./key-kind.ts";
import type { Session } from "./session.ts";

/** Of the last sync, for the credential that only a sync can try. */
export interface LastRound {
  readonly ok: boolean;
  /** Of what it ended with; null when it went well. */
  readonly code: string | null;
  readonly text: string;
  readonly nextStep: string | null;
}

type Verdict = CheckResult["verdict"];

export async function runChecks(
  config: NodeFoundryConfig,
  context: ControlContext,
  connection: Connection,
  session: Session | null,
  last: LastRound | null,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const add = (what: string, verdict: Verdict, text: string, nextStep: string | null = null): void => {
    results.push({ what, verdict, text, nextStep });
  };
  const skipRest = (names: readonly string[], why: string): CheckResult[] => {
    for (const name of names) add(name, "skipped", why);
    return results;
  };

  if (!URL.canParse(config.url)) {
    add(
      "url",
      "failed",
      `${config.url} is no URL.`,
      'write url = "https://api.nodefoundry.io" below [nodefoundry]',
    );
    return skipRest(STEPS, "no address");
  }
  const url = new URL(config.url);
  const proxy = usesProxy(config.proxy, url) ? new URL(config.proxy.url) : null;
  const nearest = (proxy ?? url).hostname.replace(/^\[|\]$/g, "");
  if (!(await checkDns(nearest, add))) return skipRest(STEPS.slice(1), `${nearest} can't be looked up`);

  let date: number | null = null;
  let status = 0;
  let wrong: unknown = null;
  const sentAt = context.clock.now();
  try {
    const answer = await connection.probe(signal);
    date = serverTime(answer);
    ({ status } = answer);
  } catch (error) {
    wrong = error;
  }
  const failedAt = wrong === null ? null : stepOf(errorCode(wrong), proxy !== null);
  const ways: Record<Way, readonly [Verdict, string]> = {
    proxy: proxy === null ? ["skipped", "none is used for this host"] : ["ok", `through ${proxy.host}`],
    connect: LOCAL.test(errorCode(wrong))
      ? ["skipped", "not tried"]
      : ["ok", `${connection.host} takes connections`],
    tls:
      url.protocol === "https:"
        ? ["ok", `${connection.host} shows a certificate that is trusted`]
        : ["skipped", "plain HTTP to this host itself"],
    answer: ["ok", "in HTTP, as an API answers"],
  };
  const unable = status >= 500 || status === 429;
  for (const [index, way] of WAYS.entries()) {
    if (way === "answer" && unable) {
      const text = `${connection.host} takes no requests at the moment (${status}).`;
      add(way, "failed", text, "foundry-agent sync  # tries again; if it stays so, tell who runs the server");
      continue;
    }
    if (way !== failedAt) {
      add(way, ...ways[way]);
      continue;
    }
    add(way, "failed", errorText(wrong), nextStepOf(wrong));
    return skipRest([...WAYS.slice(index + 1), ...STEPS.slice(-3)], NOTHING[way]);
  }
  checkClock(date, sentAt, context.clock.now(), add);
  if (unable) return skipRest(["credential", "permission"], NOTHING.answer);
  await checkCredential(config, connection, session, last, signal, add);
  return results;
}

/** What one request without a credential passes on its way, in this order. */
const WAYS = ["proxy", "connect", "tls", "answer"] as const;
type Way = (typeof WAYS)[number];
/** Why what comes after it was not looked at. */
const NOTHING: Readonly<Record<Way, string>> = {
  proxy: "no way through the proxy",
  connect: "no connection",
  tls: "no connection that can be trusted",
  answer: "no answer of an API",
};
const STEPS: readonly string[] = ["dns", ...WAYS, "clock", "credential", "permission"];

/** A file of ours is not right, and nothing was sent. */
const LOCAL = /^(?:tls_file_|secret_)/;

/** Where a request that failed so had come to. With a proxy, what we look up and connect to is the proxy. */
function stepOf(code: string, proxied: boolean): Way {
  if (code.startsWith("tls_") || LOCAL.test(code)) return "tls";
  if (code.startsWith("proxy_")) return "proxy";
  if (/^(connect_|dns_)|^(network_unreachable|connection_lost)$/.test(code))
    return proxied ? "proxy" : "connect";
  return code === "https_required" ? "connect" : "answer";
}

/** How a round ends that the server refused, and not the way to it. */
const JUDGED = /^(?:credential_|node_|two_instances|request_refused|no_agent_api|key_)/;

type Add = (what: string, verdict: Verdict, text: string, nextStep?: string | null) => void;

/** @returns whether there is an address to go to */
async function checkDns(host: string, add: Add): Promise<boolean> {
  if (isIP(host) > 0) {
    add("dns", "skipped", `${host} is an address`);
    return true;
  }
  try {
    const found = await lookup(host, { all: true });
    add("dns", "ok", `${host} is ${found.map(({ address }) => address).join(", ")}`);
    return true;
  } catch (error) {
    add("dns", "failed", `${host} can't be looked up (${errorCode(error)}).`, `getent ahosts ${host}`);
    return false;
  }
}

function checkClock(date: number | null, sentAt: number, now: number, add: Add): void {
  if (date === null) {
    add("clock", "skipped", "the server's answer carries no date");
    return;
  }
  // The Date header has whole seconds, and was written somewhere between sending and receiving.
  const off = date + 999 < sentAt ? sentAt - date : date > now ? date - now : 0;
  const seconds = Math.round(off / 1000);
  if (seconds <= 60) add("clock", "ok", `${seconds} s off the server's`);
  else
    add(
      "clock",
      seconds <= 300 ? "warning" : "failed",
      `This clock is ${seconds} s off the server's.`,
      "timedatectl",
    );
}

async function checkCredential(
  config: NodeFoundryConfig,
  connection: Connection,
  session: Session | null,
  last: LastRound | null,
  signal: AbortSignal,
  add: Add,
): Promise<void> {
  if (session) {
    add("credential", "ok", `registered as ${session.nodeId} (${session.mode})`);
    if (last === null) add("permission", "skipped", "no round has been made yet", "foundry-agent sync");
    else if (last.code === null || JUDGED.test(last.code))
      add("permission", last.ok ? "ok" : "failed", last.text, last.nextStep);
    else {
      const text = `not known: the last round did not come through (${clause(last.text)})`;
      add("permission", "skipped", text, "foundry-agent sync");
    }
    return;
  }
  const file = config.enrolKeyFile ?? config.keyFile;
  if (file === null) {
    add(
      "credential",
      "failed",
      "This node is not registered, and no key is configured.",
      "foundry-agent enroll",
    );
    return add("permission", "skipped", "no credential");
  }
  let key: string;
  try {
    key = readKeyFile(file);
  } catch (error) {
    add("credential", "failed", errorText(error), nextStepOf(error));
    return add("permission", "skipped", "no credential");
  }
  const kind = keyKind(key);
  try {
    await connection.call({ method: "GET", path: "/v1/nodes?per_page=1", bearer: key, signal });
    add(
      "credential",
      kind === "live" && config.enrolKeyFile !== null ? "warning" : "ok",
      `${file} holds a key of kind ${kind} that is accepted`,
    );
  } catch (error) {
    // An enrolment key may not read, and being told so means that it is known.
    const known =
      kind === "enrol" && errorCode(error) === "credential_refused" && errorText(error).includes("(403");
    add(
      "credential",
      known ? "ok" : "failed",
      known ? `${file} holds an enrolment key that is known` : errorText(error),
      known ? null : nextStepOf(error),
    );
    if (!known) return add("permission", "skipped", "no credential");
  }
  if (kind === "read-only")
    add("permission", "warning", "This key may only read: nothing is reported.", "foundry-agent enroll");
  else
    add(
      "permission",
      "ok",
      config.enrolKeyFile === null ? "the key may read" : "the key may register this node at the next round",
    );
}

function nextStepOf(error: unknown): string | null {
  return error instanceof AgentError ? error.nextStep : null;
}
