/** Certificates of test/fixtures/tls and real TLS servers on loopback that misbehave as told. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { createServer as createPlainServer, type RequestListener, type Server } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "../machine/tree.ts";

export type CertificateName =
  | "server"
  | "expired"
  | "not-yet-valid"
  | "wrong-host"
  | "untrusted"
  | "client"
  | "ca"
  | "other-ca";

export function certificatePath(name: CertificateName): string {
  return new URL(`../../fixtures/tls/${name}.pem`, import.meta.url).pathname;
}

/** Certificate and private key as PEM. */
export function certificate(name: CertificateName): { cert: string; key: string } {
  const path = certificatePath(name);
  return { cert: readFileSync(path, "utf8"), key: readFileSync(path.replace(/\.pem$/, ".key.pem"), "utf8") };
}

/** A copy of the private key with the mode a secret needs; git keeps no modes. */
export function privateKeyPath(name: CertificateName): string {
  const folder = join(temporaryFolder(), "keys");
  mkdirSync(folder, { mode: 0o700 });
  const path = join(folder, `${name}.key.pem`);
  copyFileSync(certificatePath(name).replace(/\.pem$/, ".key.pem"), path);
  chmodSync(path, 0o600);
  return path;
}

export interface TestServer {
  /** `https://localhost:PORT` or `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  readonly server: Server;
}

/** A TLS server with the given certificate; gone when the test is over. */
export async function startTlsServer(
  listener: RequestListener,
  options: { certificate?: CertificateName; wantClientCertificate?: boolean } = {},
): Promise<TestServer> {
  const wanted = options.wantClientCertificate ?? false;
  const server = createServer(
    {
      ...certificate(options.certificate ?? "server"),
      ...(wanted ? { ca: certificate("ca").cert, requestCert: true, rejectUnauthorized: true } : {}),
    },
    listener,
  );
  const port = await listen(server);
  return { url: `https://localhost:${port}`, port, server };
}

export async function startPlainServer(listener: RequestListener): Promise<TestServer> {
  const server = createPlainServer(listener);
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}`, port, server };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
