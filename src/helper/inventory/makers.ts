/**
 * Makers of memory modules by their JEDEC code (JEP106), which many boards give instead of a name: `80CE`, `859B`,
 * `7F7F7F7F7F9B0000`, `CE00000000000000`. A code counts in its bank; banks are told by their number, or by as many bytes
 * 7Fh before the code; the highest bit of a byte is its parity.
 */
import { type SmbiosStructure, wordAt } from "./smbios.ts";

/** One line a bank, from the first: `code:name`, without parity. */
const BANKS: readonly string[] = [
  "01:AMD|07:Hitachi|09:Intel|10:NEC|18:Kioxia|1c:Mitsubishi|24:IBM|2c:Micron|2d:SK hynix|33:IDT|40:ProMOS|41:Infineon|4e:Samsung|54:Hewlett-Packard|55:ISSI|5a:Winbond",
  "11:Dataram|14:SMART Modular|18:Kingston|1d:ISSI|2d:Century|32:Mushkin|3a:PNY|40:Viking|45:Micron CMS|4e:Unigen|4f:Transcend|61:Wintec|7a:Apacer",
  "1e:Corsair|35:SpecTek|7e:Elpida",
  "03:Buffalo|0a:Princeton|0b:Nanya|13:Golden Empire|14:Mushkin|16:Netlist|19:Centon|25:Kingmax|58:takeMS|5a:Swissbit|78:SimpleTech",
  "23:Renesas|30:OCZ|33:Inphi|43:Ramaxel|46:Legacy Electronics|48:Powerchip|4b:A-DATA|4d:G.Skill|69:Century Micro|6f:Team Group|71:Toshiba|7c:Eudar",
  "02:Patriot|1b:Crucial|3a:Virtium|51:Qimonda|56:Walton Chaintech|57:Aeneon|77:Avant|78:ASRock",
  "1d:Rambus|29:I-O Data|32:Montage|34:Super Talent|41:ASint|53:Silicon Power|5e:Lexar|63:ATP|6b:TwinMOS|6d:V-Color|71:Innodisk",
  "03:Strontium|25:Ramos|46:Gloway|52:Memphis|5d:Wilk Elektronik|6a:Transcend|6d:SMART Storage|70:Panram",
  "13:Gloway|18:Essencore|1a:UniIC|48:Lenovo|55:Etron|77:DSL Memory",
  "03:Hewlett Packard Enterprise|1b:YMTC|1c:MemxPro|22:Maxsun|2d:Neo Forza|4d:Longsys|68:Kimtigo|6c:Colorful|77:Netac",
  "02:KingSpec|11:CXMT|31:Biwin|39:Zotac|3a:Foxline|42:Thermaltake|48:Advantech|53:Cervoz|56:Longsys|76:Lexar",
  "12:Kingbank|73:Inspur",
  "26:Timetec|2b:Biwin|5d:OLOy|7d:Dell",
];
const CONTINUATION = 0x7f;

/** @param bank counted from 0, as continuation codes are @param code with or without its parity */
function makerOf(bank: number, code: number): string | null {
  const key = `${(code & 0x7f).toString(16).padStart(2, "0")}:`;
  const found = BANKS[bank & 0x7f]?.split("|").find((maker) => maker.startsWith(key));
  return found?.slice(key.length) ?? null;
}

/** The maker that a code stands for; the text as it is where it is no code, or one of nobody known here. Pure. */
export function namedMaker(text: string): string {
  const hex = text.replace(/^(?:jedec )?(?:mfg |manufacturer )?id[: ]+/i, "").replace(/0x|[\s:,-]/gi, "");
  if (!/^(?:[0-9a-f]{2}){2,16}$/i.test(hex)) return text;
  const bytes = [...Buffer.from(hex, "hex")];
  const continued = bytes.findIndex((byte) => byte !== CONTINUATION);
  if (continued > 0) return makerOf(continued, bytes[continued] ?? 0) ?? text;
  const [first = 0, second = 0] = bytes;
  // Bank and code; some boards turn them round, and before DDR3 there was no bank byte.
  return makerOf(first, second) ?? makerOf(second, first) ?? text;
}

/** By the module's own code in SMBIOS 3.2 and later (offset 2Ch), where its name is not filled in. */
export function codedMaker(structure: SmbiosStructure): string | null {
  const word = wordAt(structure, 0x2c);
  return word === null || word === 0 || word === 0xffff ? null : makerOf(word & 0xff, word >> 8);
}
