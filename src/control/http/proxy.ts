/**
 * Which way to a host: directly or through the HTTP proxy. The tunnel itself is Node's (`proxyEnv` of its
 * agents: CONNECT for https, absolute form for http); the no_proxy list is read here, so that `check` can
 * say which way was taken and an error can name the proxy.
 */
import { BlockList, isIP } from "node:net";
import { AgentError } from "../../model/errors.ts";
import { readSecretFile } from "../../system/secret-file.ts";

export interface ProxyOptions {
  /** `http://host:port`, without user and password. */
  readonly url: string;
  /** One line `user:password`; a path or `credential:NAME`. */
  readonly credentialsFile: string | null;
  /** Host names, `.domains`, `*.domains`, addresses, networks (`10.0.0.0/8`), each with an optional `:port`; `*` is all. */
  readonly noProxy: readonly string[];
}

/** Whether `target` is reached through the proxy. */
export function usesProxy(proxy: ProxyOptions | null, target: URL): proxy is ProxyOptions {
  if (proxy === null) return false;
  const host = bareHost(target.hostname);
  const port = target.port || (target.protocol === "https:" ? "443" : "80");
  return !proxy.noProxy.some((entry) => matches(entry.trim().toLowerCase(), host, port));
}

/**
 * The proxy's URL with user and password in it, for Node's agent; kept in memory only.
 * @throws AgentError `proxy_credentials_invalid`, or a code of `readSecretFile`
 */
export function proxyUrlWithCredentials(proxy: ProxyOptions): string {
  const url = new URL(proxy.url);
  if (proxy.credentialsFile !== null) {
    const line = readSecretFile(proxy.credentialsFile).trim();
    const colon = line.indexOf(":");
    if (colon <= 0 || /[\r\n]/.test(line)) {
      throw new AgentError(
        "proxy_credentials_invalid",
        `${proxy.credentialsFile} is not one line user:password.`,
        `printf '%s\\n' 'USER:PASSWORD' | sudo tee ${proxy.credentialsFile} >/dev/null`,
      );
    }
    url.username = encodeURIComponent(line.slice(0, colon));
    url.password = encodeURIComponent(line.slice(colon + 1));
  }
  return url.href;
}

function bareHost(host: string): string {
  return host.toLowerCase().replace(/^\[|\]$/g, "");
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const withPort = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(entry);
  if (withPort && withPort[2] !== port) return false;
  const name = bareHost(withPort?.[1] ?? entry);
  if (name.includes("/")) return inNetwork(name, host);
  if (isIP(name) > 0 || isIP(host) > 0) return name === host;
  const domain = name.replace(/^\*?\./, "");
  return host === domain || (domain !== "" && host.endsWith(`.${domain}`));
}

function inNetwork(network: string, host: string): boolean {
  const [address = "", prefix = ""] = network.split("/");
  const family = isIP(host);
  if (family === 0 || isIP(address) !== family || !/^\d{1,3}$/.test(prefix)) return false;
  if (Number(prefix) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(prefix), family === 4 ? "ipv4" : "ipv6");
  return list.check(host, family === 4 ? "ipv4" : "ipv6");
}
