export function commitOf(root?: string): string;
export const DAEMON: string;
export function bundleAgent(options?: {
  entry?: string;
  outfile?: string;
  commit?: string;
  only?: string | null;
}): Promise<void>;
