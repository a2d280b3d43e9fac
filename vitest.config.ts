import { defineConfig } from "vitest/config";

// Two processes at most: the machine is small, and several tests start real daemons. Time-outs are only against hangs,
// with room for a machine that has other work: what is repeated has a budget of time (test/support/budget.ts).
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/lab/**", "test/vm/**", "test/bench/**", "**/node_modules/**"],
    setupFiles: ["test/support/hide-tokens.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 40_000, interval: 20 } },
  },
});
