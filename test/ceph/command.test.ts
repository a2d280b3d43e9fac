/** The `ceph` program as it is called, and what becomes of its answers; texts as Ceph 16.2 and 18.2 print them. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import * as answers from "../../src/ceph/command/answers.ts";
import { cephCommand, parseAnswer } from "../../src/ceph/command/ceph-command.ts";
import { crushTree } from "../../src/ceph/map/tree.ts";
import { clusterOf, osdsOf } from "../../src/collectors/ceph/picture.ts";
import { AgentError } from "../../src/model/errors.ts";
import { forAll } from "../support/for-all.ts";
import { type FakeAnswer, fakePrograms } from "../support/machine/programs.ts";

const ACCESS = { conf: "/etc/ceph/c.conf", name: "client.foundry-agent", keyring: "/etc/ceph/k" };
const read = (name: string): string =>
  readFileSync(new URL(`../fixtures/ceph/answers/${name}.json`, import.meta.url), "utf8");

function bench({ stdout = "", stderr = "", status = 0, hangs = false }: FakeAnswer) {
  const programs = fakePrograms(300);
  programs.put(
    "ceph",
    `cat <<'EOF'\n${stdout}\nEOF\ncat >&2 <<'EOF'\n${stderr}\nEOF\n${hangs ? "exec sleep 600" : `exit ${status}`}`,
    { hangs: () => hangs },
  );
  return { programs, ceph: cephCommand(ACCESS, programs.run) };
}

async function failure(answer: FakeAnswer): Promise<AgentError> {
  const { ceph } = bench(answer);
  const error = await ceph.ask(["osd", "dump"], answers.osdDump).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(AgentError);
  return error as AgentError;
}

it("asks with its own key, every time-out and nothing of the site's environment", async () => {
  const { programs, ceph } = bench({ stdout: `\n${read("osd-dump")}` });
  const dump = await ceph.ask(["osd", "dump"], answers.osdDump);
  expect(dump).toMatchObject({ epoch: expect.any(Number), osds: { length: 6 } });
  expect(programs.calls()).toEqual([
    "--conf /etc/ceph/c.conf --name client.foundry-agent --keyring /etc/ceph/k --connect-timeout 5 --rados_mon_op_timeout 10 --format json osd dump",
  ]);
  expect(programs.environments()).toEqual([{}]);
});

it("asks one at a time, and goes on after a failure", async () => {
  const programs = fakePrograms();
  programs.put(
    "ceph",
    `mkdir '${programs.folder}/busy' || exit 1\nsleep 0.1\nrmdir '${programs.folder}/busy'\necho '{}'`,
  );
  const ceph = cephCommand(ACCESS, programs.run);
  const asked = ["a", "b", "c"].map((word) => ceph.ask([word], answers.versions));
  expect(await Promise.all(asked)).toEqual([{}, {}, {}]);
  const wrong = ceph.ask(["a"], answers.osdDump);
  await expect(wrong).rejects.toMatchObject({ code: "ceph_answer" });
  expect(await ceph.ask(["b"], answers.versions)).toEqual({});
});

it.each([
  [
    "ceph_no_keyring",
    1,
    "-1 auth: unable to find a keyring on /etc/ceph/k: (2) No such file or directory\n\n-1 AuthRegistry(0x7f) no keyring found at /etc/ceph/k, disabling cephx\n\n[errno 2] RADOS object not found (error connecting to the cluster)",
    "/etc/ceph/k is not there, or holds no key of client.foundry-agent",
  ],
  [
    "ceph_no_keyring",
    13,
    "-1 auth: unable to find a keyring on /etc/ceph/k: (13) Permission denied\n\n-1 monclient: keyring not found\n\n[errno 13] RADOS permission denied (error connecting to the cluster)",
    "/etc/ceph/k may not be read by this user",
  ],
  [
    "ceph_no_keyring",
    1,
    "-1 auth: error parsing file /etc/ceph/x.keyring: cannot parse buffer: Malformed input\n\n-1 auth: failed to load /etc/ceph/x.keyring: (5) Input/output error",
    "/etc/ceph/k is not there, or holds no key of client.foundry-agent",
  ],
  [
    "ceph_key_refused",
    13,
    "-1 monclient(hunting): handle_auth_bad_method server allowed_methods [2] but i only support [2]\n\n[errno 13] RADOS permission denied (error connecting to the cluster)",
    "the cluster does not take the key of client.foundry-agent in /etc/ceph/k",
  ],
  ["ceph_denied", 13, "Error EACCES: access denied", "client.foundry-agent may not do ceph osd dump"],
  [
    "ceph_no_conf",
    1,
    "Error initializing cluster client: ObjectNotFound('RADOS object not found (error calling conf_read_file)')",
    "/etc/ceph/c.conf is not there, or is no configuration of Ceph",
  ],
  ["ceph_unreachable", 1, "timed out", "no monitor of the cluster answers"],
  ["ceph_failed", 22, "Error EINVAL: invalid command", "ceph osd dump failed: Error EINVAL: invalid command"],
])("says %s in one sentence (%i)", async (code, status, stderr, text) => {
  const error = await failure({ stderr, status });
  expect([error.code, error.message]).toEqual([code, text]);
});

it("ends a call that never ends, and takes Ceph's own time-out for the same", async () => {
  expect((await failure({ hangs: true })).code).toBe("ceph_silent");
  expect((await failure({ status: 110, stderr: "Error ETIMEDOUT: " })).code).toBe("ceph_silent");
});

it("takes an exit code of 0 with no answer for none", async () => {
  for (const stdout of ["", "timed out", "[]", '{"epoch":1}', '{"epoch":"1","fsid":"x","osds":[]}'])
    expect((await failure({ stdout })).code).toBe("ceph_answer");
});

it("reads the numbers of an OSD without a size, which are no JSON", () => {
  const text =
    '\n{"nodes":[{"id":0,"kb":-nan,"kb_used": nan },{"id":1,"kb":inf,"kb_used":7}],"name":": nan,"}';
  expect(parseAnswer(["osd", "df"], text, answers.osdDf)).toEqual({
    nodes: [
      { id: 0, kb: null, kb_used: null },
      { id: 1, kb: null, kb_used: 7 },
    ],
  });
  expect(() => parseAnswer(["x"], "nan", answers.osdDf)).toThrow(AgentError);
});

it("reads the map of a cluster that knows no flags of buckets and classes yet", () => {
  const { crush_node_flags: _, device_class_flags: __, ...older } = JSON.parse(read("osd-dump-flags"));
  expect(parseAnswer(["osd", "dump"], JSON.stringify(older), answers.osdDump)).toMatchObject({
    crush_node_flags: {},
    device_class_flags: {},
  });
});

it("takes whatever a cluster says, or refuses it in its own words", () => {
  const texts = {
    dump: read("osd-dump-flags"),
    tree: read("osd-tree"),
    df: read("osd-df"),
    health: read("health-flags"),
  };
  const parse = <T>(text: string, schema: Parameters<typeof parseAnswer<T>>[2]): T =>
    parseAnswer(["x"], text, schema);
  const spoilt = (text: string) =>
    fc
      .tuple(
        fc.nat(text.length),
        fc.nat(40),
        fc.constantFrom("", "0", "-", '"', "[]", "null", "1e999", "{", "~", '"nan"'),
      )
      .map(([at, length, put]) => text.slice(0, at) + put + text.slice(at + length));
  const mixed = fc.record({
    dump: fc.oneof(fc.constant(texts.dump), spoilt(texts.dump)),
    tree: fc.oneof(fc.constant(texts.tree), spoilt(texts.tree)),
    df: fc.oneof(fc.constant(texts.df), spoilt(texts.df)),
    health: fc.oneof(fc.constant(texts.health), spoilt(texts.health)),
  });
  forAll(
    fc.property(mixed, (said) => {
      try {
        const found = {
          dump: parse(said.dump, answers.osdDump),
          tree: crushTree(parse(said.tree, answers.osdTree)),
          df: parse(said.df, answers.osdDf),
          health: parse(said.health, answers.health),
          versions: null,
        };
        const local = [0, 3, 99].map((id) => ({ id, uuid: null, devices: [] }));
        expect(osdsOf(local, new Map(), found)).toHaveLength(3);
        expect(clusterOf(found, [0, 3], () => ({})).health).toEqual(expect.any(String));
      } catch (error) {
        if (!(error instanceof AgentError) || error.code !== "ceph_answer") throw error;
      }
    }),
    { seed: 1_613, cases: 1_000 },
  );
});
