import { defineConfig } from "vitest/config";

// One file at a time: emulated programs are slow, and two of them on a small machine are slower.
// biome-ignore lint/style/noDefaultExport: vitest reads it from there
export default defineConfig({
  test: {
    include: ["test/lab/**/*.test.ts"],
    setupFiles: ["test/support/hide-tokens.ts"],
    pool: "forks",
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
