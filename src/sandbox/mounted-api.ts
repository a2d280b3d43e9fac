/** What one API is to the sandbox; the others are added beside NodeFoundry by writing one of these. */
import type { Answer, Request } from "./http.ts";

export interface MountedApi {
  readonly name: string;
  /** Does this API answer for that host (`netbox.localhost`, without port) and path? The first that says yes gets it. */
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
}
