export function missingTools(architectures: readonly string[]): string[];
