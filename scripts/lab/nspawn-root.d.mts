export const SUITES: readonly string[];
export function nspawnLacking(): string | null;
export function nspawnRoot(suite: string): Promise<string>;
