/** The report's ETag: what somebody who polls it may rely on. */
import { describe, expect, test } from "vitest";
import type { Section } from "../../src/model/report.ts";
import { pretendSections } from "../support/agent/pretend.ts";
import { fullView } from "../support/agent/routes.ts";
import { ask, startServer } from "../support/agent/unix-http.ts";

describe("ETag", () => {
  test("gives 304 as long as nothing is new", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    for (const path of ["/v1/report", "/v1/report/system"]) {
      const first = await ask(server.statusSocket, path);
      const etag = first.headers.etag ?? "";
      expect(etag).toMatch(/^"[\w-]{43}"$/);
      const again = await ask(server.statusSocket, path, {
        headers: { "if-none-match": `"other", ${etag}` },
      });
      expect([again.status, again.text, again.headers.etag]).toEqual([304, "", etag]);
      const other = await ask(server.statusSocket, path, { headers: { "if-none-match": '"other"' } });
      expect(other.status).toBe(200);
    }
  });

  test("is strong: another body has another, if only a volatile value, a time or the reader is another", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    const paths = ["/v1/report", "/v1/report/system"];
    const seen = new Map<string, string>();
    const look = async (socket: string): Promise<void> => {
      for (const path of paths) {
        const { headers, text } = await ask(socket, path);
        const etag = headers.etag ?? "";
        expect(seen.get(etag) ?? text).toBe(text);
        seen.set(etag, text);
      }
    };
    const hashes = view.hashes();
    await look(server.statusSocket);
    await look(server.controlSocket);
    const system = view.report().sections.system as Section;
    pretendSections(view, { system: { collectedAt: (system.collectedAt ?? 0) + 1_000 } });
    await look(server.statusSocket);
    pretendSections(view, { system: { ...system, data: { ...(system.data as object), uptime_s: 7 } } });
    await look(server.statusSocket);
    pretendSections(view, { system });
    await look(server.statusSocket);
    expect(view.hashes()).toEqual(hashes);
    // Public, with serial numbers, a second later, with another uptime: of both paths.
    expect(seen.size).toBe(2 * 4);
  });

  test("that a proxy has weakened still fits", async () => {
    const server = await startServer({ view: await fullView() });
    const { headers } = await ask(server.statusSocket, "/v1/report");
    const again = await ask(server.statusSocket, "/v1/report", {
      headers: { "if-none-match": `W/${headers.etag}` },
    });
    expect(again.status).toBe(304);
  });

  test("a new section object is shown at once, the same one from its text made before", async () => {
    const view = await fullView();
    const server = await startServer({ view });
    const uptime = async () => (await ask(server.statusSocket, "/v1/report/system")).json.data.data.uptime_s;
    const before = await uptime();
    const data = view.report().sections.system?.data as object;
    pretendSections(view, { system: { data: { ...data, uptime_s: before + 60 } } });
    expect(await uptime()).toBe(before + 60);
  });
});
