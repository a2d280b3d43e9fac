/**
 * The places of packaging/policy.toml that follow from declarations: which words there are and which of them are signed,
 * and what each source may have done. All else in that file is written by hand.
 */
import { CONTROL_APIS } from "../../src/control/index.ts";
import { POLICY_WORDS, SIGNED_WORDS } from "../../src/helper/policy/words.ts";
import { wrap } from "./config-docs.ts";

/** Characters in a line of comment. */
const WIDTH = 110;
/** What the shipped policy lets nobody do. */
const NOT_SHIPPED: readonly string[] = ["upgrade", "wipe"];

/** Place → what is to stand there; around it is what it is found by. */
const PLACES: readonly (readonly [RegExp, string])[] = [
  [/^# With the public key of [\s\S]*? signature\.$/m, wrap(signedText(), WIDTH)],
  [/^# What may be done, by [\s\S]*? not allowed\.$/m, wrap(wordsText(), WIDTH)],
  [
    /^local = \[.*\]$/m,
    line(
      "local",
      POLICY_WORDS.filter((word) => !NOT_SHIPPED.includes(word)),
    ),
  ],
  // From behind the line of `local` to the first empty one.
  [/(?<=^local = \[.*\]\n)(?:.+\n)*/m, CONTROL_APIS.map(ofApi).join("")],
];

/** @param present text of the shipped policy @returns as it is to be @throws Error when it lacks one of the places */
export function policyFile(present: string): string {
  return PLACES.reduce((text, [place, words]) => {
    if (!place.test(text)) throw new Error(`the policy has nothing that fits ${place}`);
    return text.replace(place, () => words);
  }, present);
}

function signedText(): string {
  const words = `${SIGNED_WORDS.slice(0, -1).join(", ")} and ${SIGNED_WORDS.at(-1)}`;
  return `With the public key of whoever signs your commands (Ed25519, base64), ${words} are done only for commands with a valid signature.`;
}

function wordsText(): string {
  return `What may be done, by where the command comes from. Words: ${POLICY_WORDS.join(", ")}. Not named is not allowed.`;
}

function ofApi({ name, title, policy }: (typeof CONTROL_APIS)[number]): string {
  return `# ${name}: the ${title} control API.\n${line(name, policy)}\n`;
}

function line(source: string, words: readonly string[]): string {
  return `${source} = [${words.map((word) => JSON.stringify(word)).join(", ")}]`;
}
