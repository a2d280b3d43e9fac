/** The way to one NodeFoundry server: the HTTP client, the guard on read-only keys, and what the clock has to do with certificates. */

import { AgentError, errorCode } from "../../model/errors.ts";
import { plural } from "../../model/text/sentence.ts";
import type { ControlContext } from "../control-api.ts";
import { type Http, type HttpAnswer, type HttpRequest, openHttp } from "../http/http.ts";
import { answerError } from "./answer-errors.ts";
import type { NodeFoundryConfig } from "./config-type.ts";
import { keyKind } from "./key-kind.ts";

export const API = "nodefoundry";

type WithBearer = Omit<HttpRequest, "bearer"> & { readonly bearer: string };

export interface Connection {
  readonly host: string;
  /** Any status below 300. @throws AgentError of the HTTP client and of answer-errors.ts, `key_read_only` */
  call(request: WithBearer): Promise<HttpAnswer>;
  /** Any status, for who knows better than answer-errors.ts what it means. @throws AgentError of the HTTP client, `key_read_only` */
  exchange(request: WithBearer): Promise<HttpAnswer>;
  /** A read without a credential, for whoever wants to know the way only: any status. @throws AgentError of the HTTP client */
  probe(signal: AbortSignal): Promise<HttpAnswer>;
}

export function openConnection(config: NodeFoundryConfig, context: ControlContext): Connection {
  let http: Http | null = null;
  const host = URL.canParse(config.url) ? new URL(config.url).host : config.url;

  async function send(request: HttpRequest): Promise<HttpAnswer> {
    http ??= openHttp({
      baseUrl: config.url,
      caFile: config.caFile,
      certFile: config.certFile,
      keyFile: config.keyPemFile,
      proxy: config.proxy,
      thrifty: config.profile === "metered",
      userAgent: `foundry-agent/${context.identity().agentVersion}`,
      log: context.log,
      traffic: context.traffic,
    });
    try {
      return await http.request(request);
    } catch (error) {
      if (errorCode(error) === "tls_not_yet_valid") {
        context.conditions.raise({
          code: "clock_wrong",
          subject: API,
          severity: "error",
          text: `This clock says ${new Date(context.clock.now()).toISOString()}, and the certificate of ${host} begins to be valid only later.`,
          nextStep: "timedatectl",
        });
      }
      throw error;
    }
  }

  async function exchange(request: WithBearer): Promise<HttpAnswer> {
    // Whatever a caller does wrong: a key that may only read never goes out with a write.
    if (keyKind(request.bearer) === "read-only" && request.method !== "GET") {
      throw new AgentError("key_read_only", "A read-only key (nf_sk_ro_…) is used for reading only.");
    }
    return await send(request);
  }

  return {
    host,
    exchange,
    async call(request) {
      const answer = await exchange(request);
      if (answer.status < 300) return answer;
      throw answerError(answer, host, context.clock.now());
    },
    probe: (signal) => send({ method: "GET", path: "/v1/nodes?per_page=1", signal, firstByteMs: 15_000 }),
  };
}

const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** Raise or clear `clock_wrong` by the server's time in an answer that TLS vouches for. */
export function judgeClock(context: ControlContext, serverNow: number | null): void {
  if (serverNow === null) return;
  const ahead = context.clock.now() - serverNow;
  if (Math.abs(ahead) <= CLOCK_TOLERANCE_MS) {
    context.conditions.clear("clock_wrong", API);
    return;
  }
  const minutes = Math.round(Math.abs(ahead) / 60_000);
  context.conditions.raise({
    code: "clock_wrong",
    subject: API,
    severity: "warning",
    text: `This clock is ${plural(minutes, "minute")} ${ahead > 0 ? "ahead of" : "behind"} that of NodeFoundry.`,
    nextStep: "timedatectl",
  });
}
