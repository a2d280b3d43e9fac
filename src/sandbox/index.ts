/** Every API of the sandbox. Adding one: its folder, and one line here. */
import type { SandboxApi } from "./mounted-api.ts";
import { nodefoundry } from "./nodefoundry/declaration.ts";

export const SANDBOX_APIS: readonly SandboxApi[] = [nodefoundry];
