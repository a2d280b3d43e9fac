export const PRINT_HEAD: string;
export function acceptCaches(path: string, madeUnder: string, runUnder: string): void;
