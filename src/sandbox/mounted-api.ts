/** What one API is to the sandbox: its declaration in the table (index.ts), and what it is once it is mounted. */
import type { Answer, Request } from "./http.ts";

/** Secrets by name: `live` → `xy_live_…`. */
export type Keys = Readonly<Record<string, string>>;

export interface SandboxApi {
  /** As the control API that speaks it. */
  readonly name: string;
  readonly title: string;
  /** How each of its keys begins; the names are its own among all APIs. */
  readonly keys: Keys;
  /**
   * @param keys one of each name
   * @param options its own, of whoever starts the sandbox; as its folder documents them
   */
  open(keys: Keys, options: object, rim: Rim): MountedApi;
}

/** What the sandbox lends to an API. */
export interface Rim {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  log(line: string): void;
}

export interface MountedApi {
  readonly name: string;
  readonly title: string;
  /** Does this API answer for that host (`other.localhost`, without port) and path? The first that says yes gets it. */
  owns(host: string, path: string): boolean;
  /** Never throws: errors are answers in the API's own envelope. */
  handle(request: Request): Promise<Answer>;
  /** A copy of its state, plain JSON data. */
  snapshot(): unknown;
  /** Go on from a saved state as if nothing had happened (a restart). @throws TypeError when it is not one */
  load(saved: unknown): void;
  /** Put an old state back, as from a backup: the server itself must show that it did. @throws TypeError when it is not one */
  restore(saved: unknown): void;
  /** End everything that is held open. */
  wake(): void;
  /** What tests may look at: copies, so nothing can be changed by accident. */
  inspect(): object;
  /** Its part of the page at /: lines to paste, without keys. @param url of the sandbox, no slash at the end */
  help(url: string): string;
  /** For whoever started the sandbox: its keys, and the lines that connect an agent. */
  welcome(url: string): string;
  /** For a first look at an agent that reports to it. */
  demonstration(url: string): Demonstration;
}

export interface Demonstration {
  /** Lines of its section in the agent's configuration. */
  readonly config: readonly string[];
  /** What `enroll` takes: a test key where the API has such, so that no hardware is ever touched. */
  readonly key: string;
  /** Lines to paste that ask the node for something. */
  calls(nodeId: string): readonly string[];
}
