/** The millisecond written into a ULID. */
export function ulidTime(ulid: string): number {
  const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  let time = 0;
  for (const char of ulid.slice(0, 10)) time = time * 32 + digits.indexOf(char);
  return time;
}
