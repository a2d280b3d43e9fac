/** What goes into a diagnostics bundle, made up; tests change what they need. */
import type { BundleInput } from "../../../src/agent/diagnostics/texts.ts";
import type { AgentEvent } from "../../../src/model/event.ts";
import { NOW } from "../now.ts";
import { bareStatus } from "./bare-view.ts";
import { section } from "./pretend.ts";

export function bundleInput(more: Partial<BundleInput> = {}): BundleInput {
  return {
    id: null,
    status: bareStatus(),
    report: {
      bootId: "b-1",
      sections: { system: section("system", { hostname: "ceph-osd-07", serial: "SN1" }) },
    },
    commands: [],
    events: [],
    log: ["2026-11-21T00:00:00.000Z <6>ready"],
    config: [
      { key: "agent.log_level", value: "info", origin: null, note: null },
      {
        key: "nodefoundry.key_file",
        value: "/etc/foundry-agent/key",
        origin: { file: "/etc/c.toml", line: 3 },
        note: null,
      },
      { key: "metrics.listen", value: null, origin: null, note: "off" },
    ],
    os: "Debian GNU/Linux 12 (bookworm)",
    hide: (value) => value,
    ...more,
  };
}

export function bundleEvents(count: number, text: (index: number) => string): AgentEvent[] {
  return Array.from({ length: count }, (_none, index) => ({
    id: String(index).padStart(26, "0"),
    at: NOW + index,
    type: "test",
    severity: "info",
    data: { text: text(index) },
  }));
}
