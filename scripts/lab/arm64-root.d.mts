export function layRoot(folder: string, packages: readonly string[]): void;
export function arm64Root(): string;
