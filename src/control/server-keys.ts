/** Keys of a section that say how a server is reached over HTTPS: its CA, our certificate, a proxy. */
import { file, pairProblem, type SectionOf, type SectionProblem, url, words } from "../model/config-key.ts";
import type { ProxyOptions } from "./http/proxy.ts";

export const SERVER_KEYS = {
  ca_file: file(
    "/etc/foundry-agent/ca.crt",
    "CA of the server where it is a private one, PEM. Replaces the public CAs.",
  ),
  cert_file: file(
    "/etc/foundry-agent/client.crt",
    "Client certificate for mutual TLS, PEM; with key_pem_file.",
  ),
  key_pem_file: file("/etc/foundry-agent/client.key", "Private key of cert_file, PEM."),
  proxy_url: url(true, "no proxy", "http://proxy.example.net:3128", "HTTP proxy for this server."),
  proxy_credentials_file: file(
    "/etc/foundry-agent/proxy.credentials",
    "One line user:password for the proxy.",
  ),
  no_proxy: words((value) => /^\*$|^\.?[A-Za-z0-9_.:/[\]-]+$/.test(value), {
    expected: "a list of host names, .domains, addresses or networks",
    example: '["10.0.0.0/8", ".example.net"]',
    doc: "Hosts that are reached without the proxy.",
  }),
};

type ServerValues = SectionOf<typeof SERVER_KEYS>;

/** A certificate without its key, credentials without a proxy. Pure. */
export function serverProblems(values: ServerValues): SectionProblem[] {
  const found: SectionProblem[] = [];
  if ((values.certFile === null) !== (values.keyPemFile === null))
    found.push(pairProblem("cert_file", "key_pem_file", values.certFile !== null));
  if (values.proxyUrl === null && values.proxyCredentialsFile !== null)
    found.push({
      key: "proxy_credentials_file",
      message: "credentials without a proxy, expected proxy_url too",
      nextStep: "set proxy_url, or remove proxy_credentials_file",
    });
  return found;
}

/** As http/http.ts takes it; null: none. */
export function proxyOf(values: ServerValues): ProxyOptions | null {
  const { proxyUrl, proxyCredentialsFile, noProxy } = values;
  return proxyUrl === null ? null : { url: proxyUrl, credentialsFile: proxyCredentialsFile, noProxy };
}
