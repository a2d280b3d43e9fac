export function sourceDate(): number;
export function agentVersion(): string;
export function makePackage(options: {
  form: "deb" | "tar";
  arch: "x64" | "arm64";
  out: string;
  version?: string;
  quick?: boolean;
}): string;
