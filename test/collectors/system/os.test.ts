import fc from "fast-check";
import { expect, test } from "vitest";
import { fqdnOf, parseOsRelease, readTimeZone } from "../../../src/collectors/system/os.ts";
import { openFiles } from "../../../src/system/files.ts";
import { forAll } from "../../support/for-all.ts";
import { layTree, type Tree } from "../../support/machine/tree.ts";

test.each([
  ["node1", null, "10.0.0.1 node1.example.org node1", "node1.example.org"],
  ["node1", null, "10.0.0.1 node1 node1.example.org # x", "node1.example.org"],
  ["node1", null, "127.0.0.1 node1.localdomain node1", null],
  ["node1", null, "10.0.0.1 node10.example.org", null],
  ["node1", null, "# 10.0.0.1 node1.example.org", null],
  ["node1.example.org", null, "", "node1.example.org"],
  ["node1", "example.org", "", "node1.example.org"],
  ["node1", null, "", null],
])("name %s, domain %s, hosts %j: %s", (hostname, domain, hosts, expected) => {
  expect(fqdnOf(hostname, domain, hosts)).toBe(expected);
});

test("a line of the hosts file that is another host's gives this one no domain", () => {
  const mine = (): ReadonlySet<string> => new Set(["10.0.0.1"]);
  const name = (hosts: string): string | null => fqdnOf("node1", null, hosts, mine);
  expect(name("10.0.0.9 node1.backup.example.net backup")).toBeNull();
  expect(name("10.0.0.9 node1.backup.example.net\n10.0.0.1 node1.example.org")).toBe("node1.example.org");
  expect(name("127.0.1.1 node1.example.org node1")).toBe("node1.example.org");
  // As hostname -f: the short name is an alias, the first name of its line counts.
  expect(name("10.0.0.9 node1.other.example.net node1\n10.0.0.1 node1.example.org node1")).toBe(
    "node1.example.org",
  );
  expect(name("192.0.2.7 storage7.example.org node1")).toBe("storage7.example.org");
  expect(name("127.0.0.1 localhost.localdomain localhost node1")).toBeNull();
  expect(name("::1 ip6.example.org node1.example.org. node1")).toBe("ip6.example.org");
});

test("quotes and backslashes of os-release", () => {
  expect(
    parseOsRelease('NAME=\'Foo Linux\'\nPRETTY_NAME="Foo \\"Bar\\" \\$1"\nID=foo\r\nid=no\n'),
  ).toMatchObject({
    name: "Foo Linux",
    pretty_name: 'Foo "Bar" $1',
    id: "foo",
  });
});

test("time zone from what is there", () => {
  const files = (tree: Partial<Tree>): ReturnType<typeof openFiles> =>
    openFiles(layTree({ files: {}, ...tree }), tree.errors ?? {});
  expect(readTimeZone(files({ files: { "/etc/localtime": "TZif", "/etc/timezone": "Asia/Tokyo\n" } }))).toBe(
    "Asia/Tokyo",
  );
  expect(readTimeZone(files({ files: { "/etc/localtime": "TZif" } }))).toBeNull();
  expect(readTimeZone(files({}))).toBe("UTC");
});

test("os-release and hosts of any text make well-formed values", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 500 }),
    fc
      .array(fc.stringMatching(/^(?:ID|NAME|PRETTY_NAME)=["']?[\s\S]{0,30}["']?$/))
      .map((lines) => lines.join("\n")),
  );
  forAll(
    fc.property(text, text, (a, b) => {
      for (const value of Object.values(parseOsRelease(a)))
        if (value !== null) expect(value).toMatch(/^[^\x00-\x1f\x7f]{1,256}$/);
      expect((fqdnOf("node1", null, b) ?? "").length).toBeLessThanOrEqual(253);
    }),
    { seed: 17, cases: 1000 },
  );
});
