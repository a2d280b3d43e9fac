/**
 * What went wrong on the way, as a stable code, one sentence that names the host, and the next step. The
 * codes of OpenSSL, libuv and Node's parser come in dozens; a person needs about fifteen.
 */

import { AgentError, errorCode, errorText } from "../../model/errors.ts";
import { span } from "../../model/text/span.ts";

/** Where a request was going. */
export interface Route {
  /** `api.example.net:443`. */
  readonly host: string;
  /** `proxy.example.net:3128` when it goes through one. */
  readonly proxy: string | null;
}

const UNTRUSTED = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "CERT_SIGNATURE_FAILURE",
  "CERT_CHAIN_TOO_LONG",
  "INVALID_CA",
  "INVALID_PURPOSE",
]);

/** Error of a request that got no answer, as an AgentError; AgentErrors pass unchanged. */
export function requestError(error: unknown, route: Route): AgentError {
  if (error instanceof AgentError) return error;
  const code = errorCode(error);
  const { host, proxy } = route;
  const make = (ours: string, text: string, nextStep: string | null): AgentError =>
    new AgentError(ours, text, nextStep, { cause: error });

  const tls = tlsError(code, route, error);
  if (tls) return tls;
  if (code === "ERR_PROXY_TUNNEL") return tunnelError(error, route);

  // With a proxy, only the proxy is looked up and connected to by us.
  const nearest = proxy ?? host;
  const what = proxy ? `The proxy ${proxy}` : host;
  if (code === "ENOTFOUND" || code.startsWith("EAI_")) {
    return make(
      "dns_failed",
      `The name of ${nearest} can't be looked up (${code}).`,
      `getent ahosts ${nearest.replace(/:\d+$/, "")}`,
    );
  }
  if (code === "ECONNREFUSED") {
    return make(
      "connect_refused",
      `${what} refuses connections.`,
      `${tryPort(nearest)}  # refused again: is the service up, are address and port right?`,
    );
  }
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH" || code === "EADDRNOTAVAIL") {
    return make("network_unreachable", `There is no way to ${nearest} (${code}).`, "ip route");
  }
  if (code === "ETIMEDOUT") return connectTimeout(route, null, error);
  if (code === "HPE_HEADER_OVERFLOW" || code === "HPE_CHUNK_EXTENSIONS_OVERFLOW")
    return badAnswer(host, "more around its answer (headers, trailers) than is read", error);
  if (code.startsWith("HPE_")) {
    return make(
      "bad_answer",
      `${host} did not answer in HTTP (${code}).`,
      "foundry-agent config show  # are host and port of url those of the API?",
    );
  }
  return make(
    "connection_lost",
    `The connection to ${host} was lost (${code === "unexpected" ? errorText(error) : code}).`,
    null,
  );
}

/** The line that tries a connection by hand. @param address `host:port`, IPv6 in brackets */
function tryPort(address: string): string {
  const [, host = address, port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  return `nc -zv -w 10 ${host} ${port}`.trimEnd();
}

/** @param ms the limit, or null when the system's own was reached */
export function connectTimeout(route: Route, ms: number | null, cause?: unknown): AgentError {
  const what = route.proxy ? `the proxy ${route.proxy} (for ${route.host})` : route.host;
  return new AgentError(
    "connect_timeout",
    `No connection to ${what}${ms === null ? "" : ` within ${span(ms)}`}.`,
    `${tryPort(route.proxy ?? route.host)}  # no answer again: is the address right, does a firewall drop it?`,
    { cause },
  );
}

export function proxyAuthRequired(route: Route, cause?: unknown): AgentError {
  return new AgentError(
    "proxy_auth_required",
    `The proxy ${route.proxy ?? "on the way"} wants other credentials than it got (407).`,
    "foundry-agent config show  # names proxy_credentials_file: one line user:password",
    { cause },
  );
}

export function badAnswer(host: string, what: string, cause?: unknown): AgentError {
  return new AgentError(
    "bad_answer",
    `${host} answered with ${what}.`,
    "foundry-agent config show  # is url that of the API? A captive portal or a proxy may answer in its place",
    { cause },
  );
}

function tlsError(code: string, { host, proxy }: Route, cause: unknown): AgentError | null {
  const ask = `openssl s_client -connect ${host}${proxy === null ? "" : ` -proxy ${proxy}`} </dev/null`;
  const make = (ours: string, text: string, nextStep: string): AgentError =>
    new AgentError(ours, text, nextStep, { cause });
  if (code === "CERT_HAS_EXPIRED") {
    return make(
      "tls_expired",
      `The certificate of ${host} has expired.`,
      `${ask} 2>/dev/null | openssl x509 -noout -dates  # if timedatectl shows the right time, have it renewed`,
    );
  }
  if (code === "CERT_NOT_YET_VALID") {
    return make(
      "tls_not_yet_valid",
      `The certificate of ${host} is not valid yet, by this node's clock.`,
      "timedatectl",
    );
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || code === "HOSTNAME_MISMATCH") {
    return make(
      "tls_wrong_host",
      `The certificate that ${host} shows is for another name.`,
      `${ask} 2>/dev/null | openssl x509 -noout -subject -ext subjectAltName`,
    );
  }
  if (UNTRUSTED.has(code)) {
    return make(
      "tls_untrusted",
      `The certificate of ${host} is not signed by a CA that is trusted here (${code}).`,
      `${ask} -showcerts  # shows who signed it; a private CA, or that of a proxy that intercepts TLS, belongs into ca_file`,
    );
  }
  if (/^(ERR_SSL_|ERR_TLS_|EPROTO|ERR_OSSL_|CERT_|UNABLE_TO_)/.test(code)) {
    return make(
      "tls_failed",
      `No TLS with ${host}: ${errorText(cause)}.`,
      `${ask}  # does the port speak TLS 1.2 or later, does it want a certificate (cert_file)?`,
    );
  }
  return null;
}

/** Node's agent: `statusCode` of the proxy's answer, or none when the tunnel broke off or timed out. */
function tunnelError(error: unknown, route: Route): AgentError {
  const { statusCode, proxyTunnelTimeout } = error as { statusCode?: number; proxyTunnelTimeout?: number };
  if (statusCode === 407) return proxyAuthRequired(route, error);
  if (proxyTunnelTimeout !== undefined) return connectTimeout(route, proxyTunnelTimeout, error);
  const said = statusCode === undefined ? "broke off" : `answered ${statusCode}`;
  return new AgentError(
    "proxy_refused",
    `The proxy ${route.proxy} does not open a way to ${route.host} (it ${said}).`,
    `write no_proxy = ["${route.host.replace(/:\d+$/, "")}"] where it stands, if the host is reached without it; else ask who runs the proxy`,
    { cause: error },
  );
}
