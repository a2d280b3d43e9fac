export function missing(root?: string): string | null;
export function install(): void;
