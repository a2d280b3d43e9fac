/** `relay.ts PORT`: its standard input and output joined to that port on loopback; QEMU starts one for each connection. */
import { connect } from "node:net";

const socket = connect(Number(process.argv[2]), "127.0.0.1");
process.stdin.pipe(socket).pipe(process.stdout);
// Standard error leads to the other side as well, so whatever went wrong is only a connection that ends.
for (const end of [process.stdin, process.stdout, socket]) end.on("error", () => process.exit(1));
socket.on("close", () => process.exit(0));
