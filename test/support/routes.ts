import { NOW, type TestView, testView } from "./view.ts";

/** A value for each `{parameter}` and the query of every route, so that each can be asked. */
export const FILLED: Record<string, string> = {
  "/v1/report/{section}": "/v1/report/system",
  "/v1/drives/{drive}": "/v1/drives/sda",
  "/v1/drives/{serial}/forget": "/v1/drives/WD-1/forget",
  "/v1/commands/{id}": "/v1/commands/cmd_1",
  "/v1/why/{id}": "/v1/why/drives",
  "/v1/collect": "/v1/collect?name=system",
  "/v1/preview/{api}": "/v1/preview/nodefoundry",
};

export async function fullView(): Promise<TestView> {
  const view = await testView();
  view.commandList = [
    {
      id: "cmd_1",
      source: "nodefoundry",
      epoch: "e1",
      type: "node.reboot",
      state: "refused",
      receivedAt: NOW - 60_000,
      command: JSON.stringify({ params: { reason: "kernel" }, signature: "SIGNATURE-OF-IT" }),
      error: { code: "unsupported", message: "this agent does not know it yet" },
    },
  ];
  view.state = {
    ...view.state,
    conditions: [
      {
        code: "drive_missing",
        subject: "WD-1",
        severity: "warning",
        text: "A drive is gone.",
        nextStep: "look",
        since: NOW - 5_000,
      },
    ],
    runningCommand: view.commandList[0] ?? null,
    hold: { reason: "maintenance", until: null },
  };
  view.happen({ type: "drive.missing", severity: "warning", data: { slot: "3" } });
  return view;
}
