/** Whom the HTTP client believes. */
import { describe, expect, test } from "vitest";
import type { AgentError } from "../../../src/model/errors.ts";
import { codeOf, get, json, open } from "../../support/net/http-client.ts";
import { certificatePath, privateKeyPath, startTlsServer } from "../../support/net/tls.ts";

describe("certificates", () => {
  test.each([
    ["expired", "tls_expired"],
    ["not-yet-valid", "tls_not_yet_valid"],
    ["wrong-host", "tls_wrong_host"],
    ["untrusted", "tls_untrusted"],
  ] as const)("%s → %s, and the request is never sent", async (certificate, code) => {
    let asked = 0;
    const server = await startTlsServer(
      () => {
        asked += 1;
      },
      { certificate },
    );
    expect(await codeOf(open(server.url).request(get))).toBe(code);
    expect(asked).toBe(0);
  });

  test("the public CAs do not know ours, and the sentence says that a CA must be a file", async () => {
    const server = await startTlsServer((_request, response) => json(response, {}));
    const error = await open(server.url, { caFile: null })
      .request(get)
      .catch((thrown: AgentError) => thrown);
    expect(error).toMatchObject({ code: "tls_untrusted", nextStep: expect.stringContaining("ca_file") });
  });

  test("a CA file that was mended is read at the next try", async () => {
    const server = await startTlsServer((_request, response) => json(response, {}));
    const { copyFileSync } = await import("node:fs");
    const path = `${privateKeyPath("client")}.ca`;
    copyFileSync(certificatePath("other-ca"), path);
    const http = open(server.url, { caFile: path });
    expect(await codeOf(http.request(get))).toBe("tls_untrusted");
    copyFileSync(certificatePath("ca"), path);
    expect((await http.request(get)).status).toBe(200);
  });

  test("a CA file that is missing or no PEM is named", async () => {
    expect(await codeOf(open("https://localhost:1", { caFile: "/nowhere/ca.pem" }).request(get))).toBe(
      "tls_file_unreadable",
    );
    const readme = certificatePath("ca").replace(/[^/]+$/, "README.md");
    expect(
      await codeOf(
        open("https://localhost:1", { certFile: readme, keyFile: privateKeyPath("client") }).request(get),
      ),
    ).toBe("tls_file_invalid");
  });
});
