import { defineConfig } from "vitest/config";

// Two processes at most: the machine is small, and several tests start real daemons.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/lab/**", "test/vm/**", "test/bench/**", "**/node_modules/**"],
    setupFiles: ["test/support/hide-tokens.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
