/** `foundry-agent check`: step by step, so that the first thing that fails is the thing to mend. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { AgentError, errorCode, errorText } from "../../model/errors.ts";
import type { CheckResult, ControlContext } from "../control-api.ts";
import { usesProxy } from "../proxy.ts";
import { serverTime } from "./answer-errors.ts";
import type { NodeFoundryConfig } from "./config-type.ts";
import type { Connection } from "./connection.ts";
import { keyKind, readKeyFile } from "./key.ts";
import type { Session } from "./session.ts";

/** Of the last sync, for the credential that only a sync can try. */
export interface LastRound {
  readonly ok: boolean;
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
  const skipRest = (names: string[], why: string): CheckResult[] => {
    for (const name of names) add(name, "skipped", why);
    return results;
  };

  if (!URL.canParse(config.url)) {
    add("url", "failed", `${config.url} is no URL.`, "set nodefoundry.url");
    return skipRest(["dns", "proxy", "tls", "clock", "credential", "permission"], "no address");
  }
  const url = new URL(config.url);
  const proxied = usesProxy(config.proxy, url);
  const nearest = proxied && config.proxy ? new URL(config.proxy.url).hostname : url.hostname;
  await checkDns(nearest.replace(/^\[|\]$/g, ""), add);
  if (results.some(({ verdict }) => verdict === "failed")) {
    return skipRest(["proxy", "tls", "clock", "credential", "permission"], `${nearest} can't be looked up`);
  }

  let date: number | null;
  const sentAt = context.clock.now();
  try {
    date = serverTime(await connection.probe(signal));
    add(
      "proxy",
      proxied ? "ok" : "skipped",
      proxied ? `through ${config.proxy?.url}` : "none is used for this host",
    );
    add(
      "tls",
      "ok",
      url.protocol === "https:"
        ? `${connection.host} shows a certificate that is trusted`
        : "plain HTTP to this host itself",
    );
  } catch (error) {
    const isProxy = proxied && /^(proxy_|connect_|dns_)/.test(errorCode(error));
    if (!isProxy)
      add(
        "proxy",
        proxied ? "ok" : "skipped",
        proxied ? `through ${config.proxy?.url}` : "none is used for this host",
      );
    add(isProxy ? "proxy" : "tls", "failed", errorText(error), nextStepOf(error));
    return skipRest([...(isProxy ? ["tls"] : []), "clock", "credential", "permission"], "no connection");
  }
  checkClock(date, sentAt, context.clock.now(), add);
  await checkCredential(config, connection, session, last, signal, add);
  return results;
}

type Add = (what: string, verdict: Verdict, text: string, nextStep?: string | null) => void;

async function checkDns(host: string, add: Add): Promise<void> {
  if (isIP(host) > 0) return add("dns", "skipped", `${host} is an address`);
  try {
    const found = await lookup(host, { all: true });
    add("dns", "ok", `${host} is ${found.map(({ address }) => address).join(", ")}`);
  } catch (error) {
    add("dns", "failed", `${host} can't be looked up (${errorCode(error)}).`, `getent ahosts ${host}`);
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
    else add("permission", last.ok ? "ok" : "failed", last.text, last.nextStep);
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
      config.enrolKeyFile === null ? "may read" : "may register this node at the next round",
    );
}

function nextStepOf(error: unknown): string | null {
  return error instanceof AgentError ? error.nextStep : null;
}
