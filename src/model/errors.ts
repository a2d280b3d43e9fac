/**
 * The one error type of the project: a stable code a program can match, one sentence a person can
 * read, and what to type next. Everything else that is thrown is a bug.
 */
export class AgentError extends Error {
  override readonly name: string = "AgentError";
  readonly code: string;
  readonly nextStep: string | null;

  constructor(code: string, message: string, nextStep: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.nextStep = nextStep;
  }
}

/** The `code` of any thrown thing: an AgentError's, a system call's (`ENOENT`), else `unexpected`. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return "unexpected";
}

/** One line of text for any thrown thing, cut at 300 characters so that nothing can flood a log. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, " ").slice(0, 300);
}
