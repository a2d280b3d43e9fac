export const ROOT: string;
export const NODE: string;
export const BUNDLE: string;
