/**
 * Makes the certificates in test/fixtures/tls with the openssl program. TEST ONLY: their private keys are
 * public. They are committed, so that the tests need no openssl; run this only to change them:
 * node scripts/test/make-test-certificates.mjs
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const out = new URL("../../test/fixtures/tls/", import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), "test-certificates-"));
const openssl = (...args) => execFileSync("openssl", args, { cwd: work, stdio: ["ignore", "pipe", "pipe"] });

const PAST = "20200101000000Z";
const FAR = "21200101000000Z";
const LOOPBACK = "DNS:localhost,DNS:api.foundry.test,IP:127.0.0.1,IP:::1";

function key(name) {
  openssl(
    "genpkey",
    "-algorithm",
    "EC",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-out",
    join(out, `${name}.key.pem`),
  );
  // Public anyway, and tests run as any user; git would not keep 0600 either.
  chmodSync(join(out, `${name}.key.pem`), 0o644);
}

/** openssl x509 can't set both dates before version 3.4; openssl ca can. */
function certificate(name, { ca, from = PAST, to = FAR, alternatives, usage }) {
  key(name);
  const isCa = ca === name;
  const extensions = isCa
    ? "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash"
    : `basicConstraints=critical,CA:false\nextendedKeyUsage=${usage}\n${alternatives ? `subjectAltName=${alternatives}` : ""}`;
  writeFileSync(
    join(work, "ca.cnf"),
    `[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\nunique_subject=no\nx509_extensions=ext\n[any]\ncommonName=supplied\n[ext]\n${extensions}\n[req]\ndistinguished_name=dn\n[dn]\n`,
  );
  writeFileSync(join(work, "index.txt"), "");
  openssl(
    "req",
    "-new",
    "-config",
    "ca.cnf",
    "-key",
    join(out, `${name}.key.pem`),
    "-subj",
    `/CN=foundry-agent test only ${name}`,
    "-out",
    "request.pem",
  );
  openssl(
    "ca", "-batch", "-config", "ca.cnf", "-in", "request.pem", "-notext", "-startdate", from, "-enddate", to,
    "-keyfile", join(out, `${ca}.key.pem`), "-rand_serial", "-out", join(out, `${name}.pem`),
    ...(isCa ? ["-selfsign"] : ["-cert", join(out, `${ca}.pem`)]),
  ); // biome-ignore format: a command line reads better as one
}

mkdirSync(out, { recursive: true });
try {
  certificate("ca", { ca: "ca" });
  certificate("other-ca", { ca: "other-ca" });
  const server = { usage: "serverAuth", alternatives: LOOPBACK };
  certificate("server", { ca: "ca", ...server });
  certificate("expired", { ca: "ca", ...server, to: "20210101000000Z" });
  certificate("not-yet-valid", { ca: "ca", ...server, from: "21100101000000Z" });
  certificate("wrong-host", { ca: "ca", ...server, alternatives: "DNS:somewhere.foundry.test" });
  certificate("untrusted", { ca: "other-ca", ...server });
  certificate("client", { ca: "ca", usage: "clientAuth" });
  writeFileSync(
    join(out, "README.md"),
    "# Test only\n\nCertificates for tests, with their private keys, which are public by being here. Never trust them anywhere.\nMade by `node scripts/test/make-test-certificates.mjs`.\n",
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
