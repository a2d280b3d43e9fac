/** A real HTTP proxy on loopback: CONNECT and absolute form, Basic credentials, an idle limit that cuts long polls. */
import { createServer, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface TestProxy {
  readonly url: string;
  readonly port: number;
  /** What was asked for, `CONNECT localhost:1234` or `GET http://…`. */
  readonly seen: readonly string[];
  /** Proxy-Authorization of each. */
  readonly credentials: readonly (string | undefined)[];
  /** Bytes that went through tunnels, from and to the client, without CONNECT itself. */
  readonly bytes: { fromClient: number; toClient: number };
  /** Tunnels cut by the idle limit. */
  readonly cuts: () => number;
}

export interface TestProxyOptions {
  /** `user:password`; without: open to all. */
  credentials?: string;
  /** A tunnel without a byte for so long is cut, as corporate proxies do. */
  idleMs?: number;
  /** Answer to every CONNECT in place of opening a way. */
  refuse?: number;
  /** Take the CONNECT and never answer. */
  silent?: boolean;
}

export async function startProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const seen: string[] = [];
  const credentials: (string | undefined)[] = [];
  const bytes = { fromClient: 0, toClient: 0 };
  const open = new Set<Socket>();
  let cut = 0;

  const allowed = (header: string | undefined): boolean =>
    options.credentials === undefined ||
    header === `Basic ${Buffer.from(options.credentials).toString("base64")}`;

  const server = createServer((incoming, response) => {
    const header = incoming.headers["proxy-authorization"];
    seen.push(`${incoming.method} ${incoming.url}`);
    credentials.push(header);
    if (!allowed(header)) {
      response.writeHead(407, { "proxy-authenticate": 'Basic realm="test"' });
      response.end();
      return;
    }
    const { "proxy-authorization": _ours, ...headers } = incoming.headers;
    const onward = request(incoming.url ?? "", { method: incoming.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    incoming.pipe(onward);
  });

  server.on("connect", (incoming, client: Socket) => {
    const header = incoming.headers["proxy-authorization"];
    seen.push(`CONNECT ${incoming.url}`);
    credentials.push(header);
    open.add(client);
    client.on("error", () => client.destroy());
    client.on("close", () => open.delete(client));
    if (options.silent) return;
    if (!allowed(header)) {
      client.end('HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm="test"\r\n\r\n');
      return;
    }
    if (options.refuse !== undefined) {
      client.end(`HTTP/1.1 ${options.refuse} No\r\n\r\n`);
      return;
    }
    const target = new URL(`http://${incoming.url}`);
    const onward = connect(Number(target.port), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.on("data", (chunk: Buffer) => {
        bytes.fromClient += chunk.length;
        onward.write(chunk);
      });
      onward.on("data", (chunk: Buffer) => {
        bytes.toClient += chunk.length;
        client.write(chunk);
      });
    });
    if (options.idleMs !== undefined) {
      client.setTimeout(options.idleMs, () => {
        cut += 1;
        client.destroy();
      });
    }
    onward.on("error", () => client.destroy());
    onward.on("close", () => client.destroy());
    client.on("close", () => onward.destroy());
  });

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, seen, credentials, bytes, cuts: () => cut };
}
