/** Where things are in a checkout. */
import { fileURLToPath } from "node:url";

/** The checkout, without a slash at the end. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
/** The pinned Node of package-lock.json. */
export const NODE = `${ROOT}/node_modules/.bin/node`;
/** The agent as one file of JavaScript: what npm start, crash tests and bench run, and what the executables carry. */
export const BUNDLE = `${ROOT}/build/foundry-agent.cjs`;
