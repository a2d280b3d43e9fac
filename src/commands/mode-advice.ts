/** What to do instead where a node's key lets no hardware be touched: said by the gate of a command, and where one is taken. */

/**
 * For whoever asked on this host, at a command line or over the socket.
 * @param signed whether it was signed elsewhere, so that its mode is part of what was signed
 */
export function testStep(type: string, signed: boolean): string {
  if (signed) return "foundry-agent commands sign --help  # --mode test signs one that touches nothing";
  return type === "reboot"
    ? 'foundry-agent reboot --test  # in a request: "mode": "test"; goes through all of it without touching anything'
    : 'send it with "mode": "test": that goes through all of it without touching anything';
}
