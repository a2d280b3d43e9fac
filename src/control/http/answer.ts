/**
 * From bytes to JSON, everything bounded: what a server (or whoever answers in its place) sends is not trusted, and
 * must not cost more memory than the service may have (MemoryMax of its unit).
 */
import type { IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";
import { AgentError } from "../../model/errors.ts";
import { type JsonBounds, parseBounded } from "../../model/text/bounded-json.ts";
import { makeRoom } from "../../system/housekeeping.ts";
import { badAnswer } from "./errors.ts";

const KIB = 1024;

/** As sent and after decompression alike: 100 commands with some KiB of parameters each. */
const ANSWER: JsonBounds = { bytes: KIB * KIB, depth: 64, values: 16_384, text: KIB * KIB };
/** A page of 100 nodes with 60 drives each. Only looked through, where what a sync brings is written down as well. */
const LIST: JsonBounds = { ...ANSWER, values: 32_768 };
/** More than any usual answer: worth a collection of garbage before as much again is made of it. */
const LARGE_BYTES = 16 * KIB;
/** Of decompression, at the least. */
const MIN_CHUNK_BYTES = 16 * KIB;
/** A code and a sentence. */
const ERROR_ANSWER: JsonBounds = { bytes: 64 * KIB, depth: 16, values: 4_096, text: 64 * KIB };

/** What an answer of this status may have. */
export function boundsOf(status: number): JsonBounds {
  return isError(status) ? ERROR_ANSWER : ANSWER;
}

/** Its status says enough, and must not be lost for its body: what can't be read of that is left away. */
export function isError(status: number): boolean {
  return status >= 300;
}

export function tooLarge(host: string, status: number): AgentError {
  return new AgentError(
    "answer_too_large",
    `${host} answered with more than ${boundsOf(status).bytes / KIB} KiB; the rest was not read.`,
    "foundry-agent config show  # is url that of the API? If it is, tell who runs the server",
  );
}

/**
 * The answer's JSON.
 * @param isList a page of many, which may have more values
 * @returns undefined when there is no body, and for an error answer whose body is not JSON (a load
 *   balancer's HTML page) or too much of it
 * @throws AgentError `answer_too_large`, `bad_answer`
 */
export function parseAnswer(
  response: IncomingMessage,
  bytes: Buffer,
  host: string,
  isList: boolean,
): unknown {
  if (bytes.length === 0) return undefined;
  const status = response.statusCode ?? 0;
  try {
    const type = response.headers["content-type"] ?? "no content type";
    if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) {
      throw badAnswer(host, `${type.slice(0, 60)} where JSON was expected`);
    }
    const plain = decompress(response, bytes, host, status);
    if (plain.length > LARGE_BYTES) makeRoom();
    const parsed = parseBounded(plain, isList && !isError(status) ? LIST : boundsOf(status));
    if ("wrong" in parsed) throw badAnswer(host, parsed.wrong);
    return parsed.value;
  } catch (error) {
    if (isError(status) && error instanceof AgentError) return undefined;
    throw error;
  }
}

function decompress(response: IncomingMessage, bytes: Buffer, host: string, status: number): Buffer {
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return bytes;
  if (encoding !== "gzip") throw badAnswer(host, `content encoding ${encoding.slice(0, 40)}`);
  try {
    const { bytes: most } = boundsOf(status);
    // In one piece where gzip's last four bytes say how long it is (modulo 2^32), so that it is not there twice.
    const said = bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4);
    const chunkSize = Math.min(most, Math.max(MIN_CHUNK_BYTES, said + 1));
    return gunzipSync(bytes, { maxOutputLength: most, chunkSize });
  } catch (error) {
    makeRoom();
    if (error instanceof RangeError) throw tooLarge(host, status);
    throw badAnswer(host, "broken gzip", error);
  }
}
