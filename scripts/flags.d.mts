export const SHIP_FLAGS: readonly string[];
