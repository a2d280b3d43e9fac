/** Noon of a day after any clock that is believed: what the clocks of tests say that don't count from the host's. */
export const NOW = Date.parse("2026-11-21T12:00:00Z");
