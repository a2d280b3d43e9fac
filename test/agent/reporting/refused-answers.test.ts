/** Answers that are refused for what they are: nothing is lost or told twice, and what was wrong is said once. */
import { expect, onTestFinished, test } from "vitest";
import { testAgent } from "../../support/agent/agent.ts";
import { startWorstServer, WORST } from "../../support/net/worst-answers.ts";

test("each is one failure more, with its reason in one condition; the events are told when the server is right again", async () => {
  const server = await startWorstServer();
  onTestFinished(server.close);
  const agent = await testAgent({ toml: `[nodefoundry]\nurl = "${server.url}"\n` });
  await agent.view.enroll("nodefoundry", "nf_en_abcdefgh1234", {});
  const refused = ["4 MB of brackets", "1.4 million empty objects"];
  const reasons = new Map<string, string>();
  for (let again = 0; again < 2; again++) {
    for (const name of refused) {
      server.answer((WORST[name] as () => string)());
      const [round] = await agent.view.sync();
      expect(round).toMatchObject({
        ok: false,
        nextStep: expect.stringContaining("foundry-agent config show"),
      });
      reasons.set(name, round?.text ?? "");
    }
  }
  for (const reason of reasons.values())
    expect(reason).toMatch(/answered with more than 1024 KiB; the rest was not read\.$/);
  const told = () =>
    agent.view
      .eventsSince("", 1_000)
      .filter(({ data }) => data.code === "reporting_failed" && data.subject === "nodefoundry");
  expect(told()).toHaveLength(1);
  const held = agent.view.status().conditions.filter(({ code }) => code === "reporting_failed");
  expect(held).toMatchObject([{ text: expect.stringContaining("more than 1024 KiB") }]);
  expect(agent.view.status().controlApis).toMatchObject([{ failures: 4 }]);
  const waiting = agent.view.status().controlApis[0];
  expect(waiting?.pendingEvents).toBeGreaterThan(0);
  server.answer(null);
  expect(await agent.view.sync()).toMatchObject([{ ok: true }]);
  expect(agent.view.status().conditions.filter(({ code }) => code === "reporting_failed")).toEqual([]);
  expect(server.events()).toEqual(
    told()
      .map(({ id }) => id)
      .slice(0, 1),
  );
});
