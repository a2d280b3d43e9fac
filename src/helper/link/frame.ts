/**
 * Frames on the helper's socket: four bytes of length (big-endian), then as many bytes of JSON in UTF-8. One
 * request and one answer a connection, so that "is the client still there" is the state of the connection and
 * nothing has to be matched to anything. Pure; whoever is at the other end is not trusted.
 */
import { AgentError } from "../../model/errors.ts";
import { type JsonBounds, jsonExcess } from "../../model/text/bounded-json.ts";

/** A signed command has up to 64 KiB, which its quotes double in a text inside JSON; the rest has as much. */
export const MAX_REQUEST_BYTES = 192 * 1024;
export const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
/** No operation needs more. */
const REQUEST: JsonBounds = { bytes: MAX_REQUEST_BYTES, depth: 16, values: 4_096, text: MAX_REQUEST_BYTES };
/** What drives, switches and a BMC say goes through the helper, and is no more to be trusted for it. */
const ANSWER: JsonBounds = { bytes: MAX_ANSWER_BYTES, depth: 64, values: 65_536, text: MAX_ANSWER_BYTES };
const HEADER_BYTES = 4;
/** Keys by which a careless copy of an object reaches what all objects share. */
const PROTOTYPE_KEYS = new Set(["__proto__", "constructor", "prototype"]);

/**
 * One value as a frame.
 * @throws AgentError `helper_protocol` when its JSON has more than `maxBytes`, or there is no JSON of it
 */
export function encodeFrame(value: unknown, maxBytes: number): Buffer {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw garbled("is no JSON", error);
  }
  if (json === undefined) throw garbled("is no JSON");
  const length = Buffer.byteLength(json);
  if (length > maxBytes) throw garbled(`has ${length} bytes, at most ${maxBytes} are allowed`);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.writeUInt32BE(length);
  frame.write(json, HEADER_BYTES);
  return frame;
}

export interface FrameReader {
  /**
   * Take what came.
   * @returns the body when the frame is whole, null while it is not
   * @throws AgentError `helper_protocol`: empty, longer than allowed (said by the length alone, before a byte
   * of it is kept), or more bytes than the one frame
   */
  push(chunk: Uint8Array): Buffer | null;
}

/** Collects one frame of at most `maxBytes` from a stream. */
export function frameReader(maxBytes: number): FrameReader {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let wanted: number | null = null;
  return {
    push(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      if (wanted === null) {
        if (length < HEADER_BYTES) return null;
        wanted = Buffer.concat(chunks).readUInt32BE();
        if (wanted === 0) throw garbled("is empty");
        if (wanted > maxBytes) throw garbled(`has ${wanted} bytes, at most ${maxBytes} are allowed`);
      }
      if (length > HEADER_BYTES + wanted) throw garbled("is followed by more, one a connection is allowed");
      if (length < HEADER_BYTES + wanted) return null;
      return Buffer.concat(chunks).subarray(HEADER_BYTES);
    },
  };
}

/**
 * The value in a frame's body.
 * @throws AgentError `helper_protocol`: not UTF-8, not JSON, or more of it than within its bounds (an answer's)
 */
export function decodeBody(body: Uint8Array, bounds = ANSWER): unknown {
  const excess = jsonExcess(body, bounds);
  if (excess !== null) throw garbled(`is ${excess}`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body));
  } catch (error) {
    throw garbled("is no JSON in UTF-8", error);
  }
}

/**
 * `decodeBody` for what comes from a client: nested no deeper than any operation needs, without keys that
 * mean an object's prototype.
 * @throws AgentError `helper_protocol`
 */
export function decodeUntrusted(body: Uint8Array): unknown {
  const value = decodeBody(body, REQUEST);
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === null || typeof next !== "object") continue;
    for (const [key, inner] of Object.entries(next)) {
      if (PROTOTYPE_KEYS.has(key)) throw garbled(`has a key "${key}"`);
      open.push(inner);
    }
  }
  return value;
}

function garbled(what: string, cause?: unknown): AgentError {
  return new AgentError("helper_protocol", `a frame on the helper's socket ${what}`, null, { cause });
}
