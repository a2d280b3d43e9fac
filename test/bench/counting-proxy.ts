/** A TCP proxy between agent and sandbox that counts what is on the wire (TCP payload; the sandbox speaks plain HTTP). */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface CountingProxy extends AsyncDisposable {
  readonly url: string;
  readonly sentBytes: () => number;
  readonly receivedBytes: () => number;
  readonly requests: () => number;
}

export async function countingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let sent = 0;
  let received = 0;
  let requests = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on("data", (chunk) => {
      sent += chunk.length;
      // Our client writes each request's head in one piece of its own.
      if (/^[A-Z]+ \/\S* HTTP\/1\.1\r\n/.test(chunk.toString("latin1", 0, 2048))) requests++;
    });
    upstream.on("data", (chunk) => {
      received += chunk.length;
    });
    client.pipe(upstream).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const own = typeof address === "object" ? (address?.port ?? 0) : 0;
  return {
    url: `http://127.0.0.1:${own}`,
    sentBytes: () => sent,
    receivedBytes: () => received,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
