export function commitOf(root?: string): string;
export function bundleAgent(options?: { entry?: string; outfile?: string; commit?: string }): Promise<void>;
