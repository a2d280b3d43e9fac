/**
 * What a real agent says only after days, or with hardware that no test has, laid over what it says by itself. Each test
 * names what it lays over; everything else stays the agent's own, and so do the sockets.
 */
import type { Section } from "../../../src/model/report.ts";
import type { AgentStatus, AgentView } from "../../../src/sockets/agent-view.ts";

export function pretendStatus(view: AgentView, change: Partial<AgentStatus>): void {
  const real = view.status;
  view.status = () => ({ ...real(), ...change });
}

/** @param change a section is merged into the agent's own; null: it is not there yet */
export function pretendSections(
  view: AgentView,
  change: Readonly<Record<string, Partial<Section> | null>>,
): void {
  const real = view.report;
  view.report = () => {
    const { bootId, sections } = real();
    const all: Record<string, Section> = { ...sections };
    for (const [name, part] of Object.entries(change))
      if (part === null) delete all[name];
      else all[name] = { ...(all[name] as Section), ...part };
    return { bootId, sections: all };
  };
}

const CHANGING = [
  "submitCommand",
  "cancelCommand",
  "hold",
  "release",
  "collect",
  "sync",
  "reload",
  "forgetDrive",
  "smartJson",
  "locate",
  "selfTest",
  "diagnostics",
  "check",
  "enroll",
  "adopt",
  "resetIdentity",
  "leave",
] as const satisfies readonly (keyof AgentView)[];

/** Whatever the agent is asked to do from now on: `enroll ["nodefoundry","…",{}]`. It does it all the same. */
export function overheard(view: AgentView): string[] {
  const calls: string[] = [];
  const doing = view as unknown as Record<string, (...asked: unknown[]) => unknown>;
  for (const name of CHANGING) {
    const real = doing[name];
    doing[name] = (...asked) => {
      calls.push(`${name} ${JSON.stringify(asked)}`);
      return real?.(...asked);
    };
  }
  return calls;
}
