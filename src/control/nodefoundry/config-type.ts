/** What the NodeFoundry client is told; made from `[nodefoundry]` and `[network]` of the configuration. */
import type { ProxyOptions } from "../http/proxy.ts";

export interface NodeFoundryConfig {
  /** `https://api.nodefoundry.io`; http:// for loopback only. */
  readonly url: string;
  /** Account or read-only key for the read-only fallback (section 1); only ever used to read. A path or `credential:NAME`. */
  readonly keyFile: string | null;
  /** Enrolment key (or account key, which is warned about): registers this node, and again when the server forgot it. */
  readonly enrolKeyFile: string | null;
  /** `{hostname}` and `{serial}` stand for this node's own; null: the hostname. */
  readonly nodeName: string | null;
  /** PEM of the CA; replaces the public CAs. */
  readonly caFile: string | null;
  /** Client certificate for mutual TLS, PEM, with its private key in `keyPemFile`. */
  readonly certFile: string | null;
  readonly keyPemFile: string | null;
  readonly proxy: ProxyOptions | null;
  /** metered: never a long poll. */
  readonly profile: "normal" | "metered";
  /** Local wish, seconds; the rhythm uses it, the client does not. */
  readonly intervalS: number | null;
}
