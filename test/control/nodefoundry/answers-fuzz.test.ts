import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { parseCommands, parseOpenCommands } from "../../../src/control/command-document.ts";
import { answerError } from "../../../src/control/nodefoundry/answer-errors.ts";
import { EnrolAnswer, NodeListAnswer, SyncAnswer } from "../../../src/control/nodefoundry/wire.ts";
import { parseRetryAfter } from "../../../src/control/retry-error.ts";
import { AgentError } from "../../../src/model/errors.ts";
import { forAll } from "../../support/for-all.ts";

const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.anything({ withNullPrototype: true, maxDepth: 3 }),
);

const COMMAND = {
  id: "cmd_1",
  node_id: "node_1",
  mode: "live",
  type: "reboot",
  params: {},
  operation_id: "op_1",
  epoch: "e",
  seq: 1,
  issued_at: "2026-11-20T12:00:00Z",
  expires_at: "2026-11-20T13:00:00Z",
};

/** A true command with one field made anything. */
const spoilt = fc
  .tuple(fc.constantFrom(...Object.keys(COMMAND)), fc.jsonValue())
  .map(([key, value]) => ({ ...COMMAND, [key]: value }));

test("whatever comes as commands: nothing is thrown, and what is a command is one for this node with an id", () => {
  forAll(
    fc.property(fc.array(fc.oneof(anything, spoilt), { maxLength: 20 }), (raw) => {
      const { commands, rejected } = parseCommands(raw, {
        nodeId: "node_1",
        mode: "live",
        source: "nodefoundry",
      });
      for (const command of commands) {
        expect(command.nodeId).toBe("node_1");
        expect(command.id).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/);
        expect(["live", "test"]).toContain(command.mode);
        expect(Number.isFinite(command.issuedAt) && Number.isFinite(command.expiresAt)).toBe(true);
      }
      for (const { id, message } of rejected) expect(`${id}${message}`.length).toBeLessThan(300);
      parseOpenCommands(raw);
    }),
    { seed: 3, cases: 3000 },
  );
});

test("a good command beside any rubbish is found", () => {
  forAll(
    fc.property(fc.array(anything, { maxLength: 20 }), (raw) => {
      const { commands } = parseCommands([...raw, COMMAND], {
        nodeId: "node_1",
        mode: "test",
        source: "nodefoundry",
      });
      expect(commands.find(({ id }) => id === "cmd_1")?.mode).toBe("test");
    }),
    { seed: 4, cases: 1000 },
  );
});

test("no answer makes a schema throw, and every error answer is one printable sentence", () => {
  forAll(
    fc.property(
      anything,
      fc.integer({ min: 300, max: 599 }),
      fc.string({ unit: "binary" }),
      (body, status, text) => {
        for (const schema of [EnrolAnswer, SyncAnswer, NodeListAnswer]) {
          v.safeParse(schema, body);
          v.safeParse(schema, { data: body });
        }
        const envelope = { error: { code: text, message: `${text} Bearer nf_nt_canary12345678` } };
        for (const said of [body, envelope]) {
          const error = answerError({ status, headers: { "retry-after": text }, body: said }, "host", 0);
          expect(error).toBeInstanceOf(AgentError);
          expect(error.message).not.toMatch(/[\u0000-\u001f\u007f]|canary/);
          expect(error.message.length).toBeLessThan(700);
        }
      },
    ),
    { seed: 5, cases: 3000 },
  );
});

test("Retry-After: seconds, a date, or nonsense; never negative", () => {
  expect(parseRetryAfter("7", 0)).toBe(7000);
  expect(parseRetryAfter("Fri, 20 Nov 2026 12:00:10 GMT", Date.parse("2026-11-20T12:00:00Z"))).toBe(10_000);
  expect(parseRetryAfter("Fri, 20 Nov 2026 11:00:00 GMT", Date.parse("2026-11-20T12:00:00Z"))).toBe(0);
  expect(parseRetryAfter(undefined, 0)).toBeNull();
  expect(parseRetryAfter("soon", 0)).toBeNull();
});
