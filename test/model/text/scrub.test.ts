import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { looksSecret, printable, scrubSecrets } from "../../../src/model/text/scrub.ts";
import { forAll } from "../../support/for-all.ts";

describe("scrubSecrets", () => {
  it.each([
    ["key nf_sk_live_abcDEF123.", "key nf_sk_live_[hidden]"],
    ["nf_nt_a", "nf_nt_[hidden]"],
    ["NF_SK_RO_ABC", "nf_sk_ro_[hidden]"],
    ["Authorization: Bearer abc123def456, x", "Authorization: [hidden], x"],
    ["bearer abc123def456", "bearer [hidden]"],
    ["Token 0123456789abcdef0123456789abcdef01234567", "Token [hidden]"],
    ["via http://ada:p@ss@proxy:3128/x", "via http://[hidden]@proxy:3128/x"],
    [
      "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest",
      "[RSA PRIVATE KEY hidden]\nrest",
    ],
  ])("%j", (text, clean) => {
    expect(scrubSecrets(text)).toBe(clean);
  });

  it.each([
    "token rejected by the server",
    "a read-only key (nf_sk_ro_…) or a live one (nf_sk_live_…)",
    "basic authentication needed",
    "see https://docs.example/v1?x=1 for a bearer file",
    "mail ada@example.net",
  ])("leaves %j", (text) => {
    expect(scrubSecrets(text)).toBe(text);
  });

  it("finds a token wherever it stands, also twice over, and ends on any text", () => {
    const token = fc
      .tuple(
        fc.constantFrom("nf_sk_live_", "nf_sk_test_", "nf_sk_ro_", "nf_nt_", "nf_en_"),
        fc.stringMatching(/^[A-Za-z0-9]{1,40}$/),
      )
      .map(([prefix, rest]) => `${prefix}CANARY${rest}`);
    forAll(
      fc.property(
        fc.string({ unit: "binary" }),
        token,
        fc.string({ unit: "binary" }),
        (before, secret, after) => {
          expect(scrubSecrets(before + secret + after)).not.toContain("CANARY");
          expect(scrubSecrets(JSON.stringify(`\n${secret}`))).not.toContain("CANARY");
        },
      ),
      { cases: 2000, seed: 3 },
    );
  });

  it("is not kept busy by hostile text", () => {
    for (const piece of [
      "nf_sk_",
      "a://",
      "authorization:",
      "bearer ",
      "-----BEGIN PRIVATE KEY-----",
      "eyJ.",
    ])
      expect(scrubSecrets(piece.repeat(20_000)).length).toBeGreaterThan(0);
  });
});

describe("looksSecret", () => {
  it("knows keys and private keys, and no paths", () => {
    for (const text of ["nf_sk_live_x", "x = 'nf_nt_1'", "-----BEGIN PRIVATE KEY-----"])
      expect(looksSecret(text)).toBe(true);
    for (const text of [
      "/etc/conf_en_us",
      "nf_sk_",
      "credential:nodefoundry-key",
      "-----BEGIN CERTIFICATE-----",
    ])
      expect(looksSecret(text)).toBe(false);
  });
});

describe("printable", () => {
  it("leaves one line that moves no cursor, whatever comes in", () => {
    expect(printable("a\u001b[2Jb\r\n\tc\u0000\u009b\u202ed\u200be")).toBe(
      "a?[2Jb c???d?e".replace("c???d", "c???d"),
    );
    forAll(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printable(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]/);
      }),
      { cases: 1000, seed: 4 },
    );
    expect(printable("Größe 4 TB · 温度")).toBe("Größe 4 TB · 温度");
  });
});
