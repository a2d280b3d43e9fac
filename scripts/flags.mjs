/**
 * The Node flags the agent ships with: built into the executables, and used wherever the bundle is run
 * instead (npm start, crash tests, bench). --lite-mode: no JIT, so less memory and no writable code;
 * it also has no WebAssembly, hence no .ts files, fetch or undici. --no-memory-reducer: V8 would collect the
 * whole heap on its own soon after the housekeeping did, which is half of an idle agent's CPU. node:ffi and
 * node:sqlite warn otherwise.
 */
export const SHIP_FLAGS = [
  "--max-semi-space-size=1",
  "--lite-mode",
  "--no-memory-reducer",
  "--disable-warning=ExperimentalWarning",
];
