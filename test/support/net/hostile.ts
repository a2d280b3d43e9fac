/** A server of bytes: it waits for the head of a request and then writes what a test wants it to, HTTP or not. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface Hostile {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Heads of the requests so far. */
  readonly asked: string[];
  /** Bytes that were written, all connections together. */
  written(): number;
}

/** @param misbehave called once a request; `again`: how many came before it */
export async function startHostile(
  misbehave: (socket: Socket, again: number) => void | Promise<void>,
): Promise<Hostile> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  let gone = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    let head = "";
    socket.on("error", () => undefined);
    socket.on("close", () => {
      gone += socket.bytesWritten;
      sockets.delete(socket);
    });
    socket.on("data", (chunk) => {
      head += chunk.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      asked.push(head.slice(0, end));
      head = "";
      void misbehave(socket, asked.length - 1);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    written: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, gone),
  };
}

/** The same piece until the other side hangs up. */
export function forEver(socket: Socket, piece: string | Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.writable)
      if (!socket.write(piece)) return void socket.once("drain", more);
  };
  more();
}

/** An answer of JSON with its length. @param headers more of them, each with its line end */
export function plainAnswer(body: string | Buffer, headers = "", status = "200 OK"): Buffer {
  const bytes = Buffer.from(body as string);
  return Buffer.concat([
    Buffer.from(
      `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${bytes.length}\r\n${headers}\r\n`,
    ),
    bytes,
  ]);
}
