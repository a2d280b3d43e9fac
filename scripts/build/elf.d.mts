export interface Load {
  readonly at: number;
  readonly writable: boolean;
  readonly offset: number;
  readonly address: number;
  readonly memory: number;
  readonly align: number;
}
export function readElf(path: string): { readonly arch: string; readonly loads: readonly Load[] };
export function makeRoom(path: string, arch: "x64" | "arm64"): void;
export function alignLoads(path: string, arch: "x64" | "arm64"): void;
export function complaints(path: string, arch: "x64" | "arm64"): string[];
