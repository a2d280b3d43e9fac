/**
 * One command of QEMU's machine protocol: a greeting, then one JSON object a line each way.
 * https://www.qemu.org/docs/master/interop/qmp-spec.html
 */
import { createConnection } from "node:net";
import { createInterface } from "node:readline";

/** @param path of QEMU's socket. @throws Error with its refusal */
export async function qmp(
  path: string,
  command: string,
  argumentsOf: Record<string, unknown>,
): Promise<unknown> {
  const socket = createConnection(path);
  const lines = createInterface(socket)[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`QEMU closed the connection before it answered ${command}`);
      const message = JSON.parse(String(value)) as Record<string, unknown>;
      if (!("event" in message)) return message;
    }
  };
  try {
    await answer();
    for (const [execute, given] of [["qmp_capabilities", {}] as const, [command, argumentsOf] as const])
      socket.write(`${JSON.stringify({ execute, arguments: given })}\n`);
    await answer();
    const { error, return: value } = await answer();
    if (error !== undefined) throw new Error(`QEMU refuses ${command}: ${JSON.stringify(error)}`);
    return value;
  } finally {
    socket.destroy();
  }
}
