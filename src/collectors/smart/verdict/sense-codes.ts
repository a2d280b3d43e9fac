/**
 * What a SCSI or SAS drive warns of by itself: the additional sense code and its qualifier in the informational
 * exceptions page (SPC-6, annex of the ASC and ASCQ assignments). smartctl calls all of them "not passed", but only
 * 5D predicts a failure; 0B warns, mostly of what is around the drive. Pure.
 */
import type { SmartReason, SmartScsi } from "../../../model/smart.ts";

const WARNING = 0x0b;
const FAILURE_PREDICTED = 0x5d;
/** Sent because somebody switched the test of this warning on. */
const FALSE_PREDICTION = 0xff;

/** By qualifier of 0B: code of the reason, and what it says. */
const WARNINGS: ReadonlyMap<number, readonly [code: string, detail: string]> = new Map([
  [0x01, ["hot", "The drive warns that it is hotter than it is made for."]],
  [0x02, ["enclosure_warning", "The drive warns that its enclosure is degraded."]],
  [0x03, ["medium_warning", "The drive warns that a self-test it did by itself has failed."]],
  [
    0x04,
    ["medium_warning", "The drive warns that its scan before the first use found an error on the medium."],
  ],
  [0x05, ["medium_warning", "The drive warns that its own scan found an error on the medium."]],
  [
    0x06,
    ["cache_unprotected", "The drive warns that its write cache does not outlive a power loss any more."],
  ],
  [0x07, ["cache_unprotected", "The drive warns that the backup power of its write cache is low."]],
  [0x08, ["enclosure_warning", "The drive warns that its power is about to go."]],
  [
    0x09,
    ["drive_warns", "The drive warns that one of its statistics has reached a limit that was set for it."],
  ],
  [0x0a, ["hot", "The drive warns that it is above its critical temperature."]],
  [0x0b, ["hot", "The drive warns that it is colder than its critical temperature."]],
  [0x0c, ["hot", "The drive warns that it is above the temperatures it may work at."]],
  [0x0d, ["hot", "The drive warns that it is colder than the temperatures it may work at."]],
  [0x0e, ["enclosure_warning", "The drive warns that the air is above its critical humidity."]],
  [0x0f, ["enclosure_warning", "The drive warns that the air is below its critical humidity."]],
  [0x10, ["enclosure_warning", "The drive warns that the air is more humid than it may work in."]],
  [0x11, ["enclosure_warning", "The drive warns that the air is drier than it may work in."]],
  [0x12, ["firmware_warning", "The drive warns that the security of its firmware is at risk."]],
  [0x13, ["firmware_warning", "The drive warns that the signature of its firmware is not valid."]],
  [0x14, ["medium_warning", "The drive warns that one of its heads or flash parts has changed its state."]],
]);

/** Whether what it says of itself is its own verdict: a warning is not, whatever smartctl makes of it. */
export function isOnlyWarning(scsi: SmartScsi | null): boolean {
  if (scsi === null) return false;
  if (scsi.asc === null) return /^warning|temperature/i.test(scsi.ie_text ?? "");
  return scsi.asc === WARNING || (scsi.asc === FAILURE_PREDICTED && scsi.ascq === FALSE_PREDICTION);
}

/** That it predicts its failure; none or one. */
export function predictions(scsi: SmartScsi | null): SmartReason[] {
  if (scsi?.asc !== FAILURE_PREDICTED || scsi.ascq === FALSE_PREDICTION) return [];
  const said = scsi.ie_text === null ? "" : `: ${scsi.ie_text.toLowerCase()}`;
  return [
    {
      code: "failure_predicted",
      detail: `The drive predicts its own failure (sense code ${codeText(scsi)})${said}.`,
    },
  ];
}

/** What it warns of; none or one. */
export function senseWarnings(scsi: SmartScsi | null): SmartReason[] {
  if (scsi === null || !isOnlyWarning(scsi)) return [];
  if (scsi.asc === FAILURE_PREDICTED)
    return [
      {
        code: "drive_warns",
        detail: `The drive sends the test of its failure warning (sense code ${codeText(scsi)}), which was switched on in it.`,
      },
    ];
  const known = scsi.asc === null ? undefined : WARNINGS.get(scsi.ascq ?? 0);
  if (known !== undefined) return [{ code: known[0], detail: known[1] }];
  const text = scsi.ie_text ?? "";
  if (/temperature/i.test(text))
    return [{ code: "hot", detail: `The drive warns of its temperature (${text.toLowerCase()}).` }];
  const what = text === "" ? `sense code ${codeText(scsi)}` : text.toLowerCase();
  return [{ code: "drive_warns", detail: `The drive warns by itself (${what}).` }];
}

/** `5d/10`. */
function codeText({ asc, ascq }: SmartScsi): string {
  return [asc, ascq].map((part) => (part ?? 0).toString(16).padStart(2, "0")).join("/");
}
