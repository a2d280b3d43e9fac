export function vmLacking(): string | null;
export function vmImage(): string;
