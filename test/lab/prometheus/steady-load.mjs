/** So many bytes a second over the loopback interface, steadily: what a rate is compared with. argv: bytes a second. */
import { createSocket } from "node:dgram";

const rate = Number(process.argv[2]);
const packet = Buffer.alloc(8000);
const receiver = createSocket("udp4");
const sender = createSocket("udp4");
const from = performance.now();
let sent = 0;

receiver.bind(0, "127.0.0.1", () => {
  const { port } = receiver.address();
  setInterval(() => {
    const due = ((performance.now() - from) / 1000) * rate;
    for (; sent < due; sent += packet.length) sender.send(packet, port, "127.0.0.1");
  }, 50);
});
