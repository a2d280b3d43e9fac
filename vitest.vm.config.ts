import { defineConfig } from "vitest/config";

// One machine at a time: emulating one takes all of a small host.
// biome-ignore lint/style/noDefaultExport: vitest reads it from there
export default defineConfig({
  test: {
    include: ["test/vm/**/*.test.ts"],
    setupFiles: ["test/support/hide-tokens.ts"],
    pool: "forks",
    maxWorkers: 1,
    fileParallelism: false,
    // Two reboots take 200 s on a quiet host, and twice that on a busy one.
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
