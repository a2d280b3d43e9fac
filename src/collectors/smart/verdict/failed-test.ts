/**
 * The self-test of a drive that failed and still counts. As smartctl counts them (ataprint.cpp, self-test errors): a
 * long test that passed takes back what failed before it, a shorter one only its own kind. Pure.
 */
import type { SmartSelfTest } from "../../../model/smart.ts";

export interface FailedTest {
  readonly test: SmartSelfTest;
  /** Whether a test that proves less has passed since. */
  readonly isOlder: boolean;
}

/** @param tests newest first; those that were aborted prove nothing. @returns the newest of them, or null */
export function failedTest(tests: readonly SmartSelfTest[]): FailedTest | null {
  const passed = new Set<string>();
  for (const test of tests) {
    if (test.passed === true) passed.add(test.kind);
    else if (test.passed === false && !passed.has("long") && !passed.has(test.kind))
      return { test, isOlder: passed.size > 0 };
  }
  return null;
}
