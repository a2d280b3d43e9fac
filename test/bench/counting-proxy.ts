/**
 * What stands before the sandbox when traffic is counted: TLS as a real server has it, and the bytes of both
 * directions as they are on the wire (TCP payload, handshakes included).
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { fileURLToPath } from "node:url";

export interface CountingProxy extends AsyncDisposable {
  /** `https://localhost:PORT` */
  readonly url: string;
  /** The CA that its certificate is from. */
  readonly caFile: string;
  readonly bytes: () => number;
  readonly requests: () => number;
  readonly connections: () => number;
}

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));

export async function countingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let bytes = 0;
  let requests = 0;
  let connections = 0;

  function join(one: Socket, other: Socket): void {
    for (const socket of [one, other]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        one.destroy();
        other.destroy();
      });
    }
    one.pipe(other).pipe(one);
  }

  const terminator = createTlsServer(
    { cert: readFileSync(fixture("server")), key: readFileSync(fixture("server.key")) },
    (client) => {
      // The agent writes the head of each request in one piece.
      client.on("data", (chunk) => {
        if (/^[A-Z]+ \/\S* HTTP\/1\.1\r\n/.test(chunk.toString("latin1", 0, 2048))) requests++;
      });
      join(client, connect(Number(port), hostname));
    },
  );
  const inner = await listen(terminator);
  const counter = createServer((client) => {
    connections++;
    const upstream = connect(inner, "127.0.0.1");
    for (const socket of [client, upstream]) {
      socket.on("data", (chunk) => {
        bytes += chunk.length;
      });
    }
    join(client, upstream);
  });
  const outer = await listen(counter);

  return {
    url: `https://localhost:${outer}`,
    caFile: fixture("ca"),
    bytes: () => bytes,
    requests: () => requests,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      counter.close();
      terminator.close();
    },
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
