/** From bytes to JSON, every size capped: what a server (or whoever answers in its place) sends is not trusted. */
import type { IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";
import { AgentError } from "../../model/errors.ts";
import { badAnswer } from "./errors.ts";

/** Both as sent and after decompression. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const MAX_DEPTH = 64;

export function tooLarge(host: string): AgentError {
  return new AgentError(
    "answer_too_large",
    `${host} answered with more than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB; the rest was not read.`,
    "foundry-agent config show  # is url that of the API? If it is, tell who runs the server",
  );
}

/**
 * The answer's JSON.
 * @returns undefined when there is no body, and for an error answer whose body is not JSON (a load
 *   balancer's HTML page): there the status says enough
 * @throws AgentError `answer_too_large`, `bad_answer`
 */
export function parseAnswer(response: IncomingMessage, bytes: Buffer, host: string): unknown {
  if (bytes.length === 0) return undefined;
  const failed = (response.statusCode ?? 0) >= 300;
  try {
    const type = response.headers["content-type"] ?? "no content type";
    if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) {
      throw badAnswer(host, `${type.slice(0, 60)} where JSON was expected`);
    }
    const value = parseJson(decompress(response, bytes, host).toString("utf8"), host);
    if (tooDeep(value)) throw badAnswer(host, `JSON nested deeper than ${MAX_DEPTH} levels`);
    return value;
  } catch (error) {
    if (failed && error instanceof AgentError) return undefined;
    throw error;
  }
}

function decompress(response: IncomingMessage, bytes: Buffer, host: string): Buffer {
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return bytes;
  if (encoding !== "gzip") throw badAnswer(host, `content encoding ${encoding.slice(0, 40)}`);
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_ANSWER_BYTES });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(host);
    throw badAnswer(host, "broken gzip", error);
  }
}

function parseJson(text: string, host: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badAnswer(host, "broken JSON", error);
  }
}

/** Level by level, without recursion: depth is just what can't be trusted here. */
function tooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const next: unknown[] = [];
    for (const item of level) {
      if (item === null || typeof item !== "object") continue;
      for (const inner of Object.values(item)) {
        if (inner !== null && typeof inner === "object") next.push(inner);
      }
    }
    if (next.length === 0) return false;
    level = next;
  }
  return true;
}
