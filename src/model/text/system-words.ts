/** What the kernel's codes say, in words: `ENOENT` is nothing for people who mistyped a name. Pure. */
import { errorCode } from "../errors.ts";

// biome-ignore format: a table is read by its columns
const WORDS: Readonly<Record<string, string>> = {
  EACCES:        "this user may not",
  EADDRINUSE:    "something else listens there",
  EADDRNOTAVAIL: "this host has no such address",
  EDQUOT:        "the quota is used up",
  EEXIST:        "it is there already",
  EFBIG:         "it would be too large",
  EISDIR:        "it is a folder",
  ELOOP:         "it is a link, or too many of them",
  EMFILE:        "too many files are open",
  ENAMETOOLONG:  "the name is too long",
  ENFILE:        "too many files are open on this host",
  ENODEV:        "there is no such device",
  ENOENT:        "there is no such file or folder",
  ENOSPC:        "no space is left",
  ENOTDIR:       "what is named as its folder is none",
  ENXIO:         "there is no such device",
  EPERM:         "it is not permitted",
  EROFS:         "the file system is read-only",
  ETXTBSY:       "it is a program that runs",
};

/** A clause for what a system call said; its code where it is none that people cause. */
export function systemWords(error: unknown): string {
  return wordsOf(errorCode(error));
}

/** The same of a code alone. */
export function wordsOf(code: string): string {
  return WORDS[code] ?? code;
}
