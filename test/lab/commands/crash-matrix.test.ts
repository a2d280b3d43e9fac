/** The crash matrix of commands with every point met on the same boot and on a new one; `npm test` has each once. */
process.env.FOUNDRY_CRASH_MATRIX ??= "part";
await import("../../crash/commands-matrix.test.ts");

export {};
