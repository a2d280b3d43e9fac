/**
 * From what smartctl printed to a JSON object: SCSI drives put text before it until 7.3, smartctl 6 has none
 * at all, a killed one ends in the middle. Nothing here knows what the fields mean.
 */
import { AgentError } from "../../model/errors.ts";
import { type JsonBounds, parseBounded } from "../../model/text/bounded-json.ts";

const MAX_STARTS = 16;
/** All that `smartctl -x` knows of a large drive is some 100 KiB and 10 000 values. */
const BOUNDS: JsonBounds = { bytes: 1024 * 1024, depth: 32, values: 65_536, text: 1024 * 1024 };
const KNOWN = ["smartctl", "device", "devices", "json_format_version"];

/**
 * @throws AgentError `smartctl_too_old` (6.x), `smartctl_empty`, `smartctl_garbage` (no JSON of smartctl in it)
 */
export function smartctlJson(stdout: string): Record<string, unknown> {
  if (stdout.trim() === "")
    throw new AgentError(
      "smartctl_empty",
      "the program smartctl printed nothing",
      "Run it by hand: smartctl --scan-open",
    );
  let at = -1;
  for (let tried = 0; tried < MAX_STARTS; tried++) {
    at = nextStart(stdout, at + 1);
    if (at < 0) break;
    const found = parsed(stdout.slice(at)) ?? parsed(stdout.slice(at, endOfObject(stdout, at)));
    if (found !== null && KNOWN.some((key) => Object.hasOwn(found, key))) return found;
  }
  const banner = /^smartctl (\d{1,3})\.(\d{1,3})\b/m.exec(stdout.slice(0, 4_096));
  if (banner !== null && Number(banner[1]) < 7)
    throw new AgentError(
      "smartctl_too_old",
      `the program smartctl ${banner[1]}.${banner[2]} has no JSON output; 7.0 or newer is needed`,
      "apt install --only-upgrade smartmontools",
    );
  throw new AgentError(
    "smartctl_garbage",
    "the program smartctl printed something that is not its JSON",
    "Run it by hand: smartctl --json=c --scan-open",
  );
}

/** At the start of a line, or with a key behind it; a brace in a sentence has neither. */
function nextStart(text: string, from: number): number {
  for (let at = text.indexOf("{", from); at >= 0; at = text.indexOf("{", at + 1))
    if (at === 0 || text[at - 1] === "\n" || text[at + 1] === '"') return at;
  return -1;
}

function parsed(text: string): Record<string, unknown> | null {
  const found = parseBounded(text, BOUNDS);
  if ("wrong" in found) return null;
  const { value } = found;
  return value !== null && typeof value === "object" && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

/** Behind the brace that closes the one at `from`; the text's end when none does. */
function endOfObject(text: string, from: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (quoted) {
      if (char === 0x5c) at++;
      else if (char === 0x22) quoted = false;
    } else if (char === 0x22) quoted = true;
    else if (char === 0x7b) depth++;
    else if (char === 0x7d && --depth === 0) return at + 1;
  }
  return text.length;
}
