/**
 * Names of ARM cores by the implementer and part number of their MIDR, which is all that /proc/cpuinfo has of them: those
 * of servers, single-board computers and the like (Linux arch/arm64/include/asm/cputype.h, util-linux lscpu-arm.c).
 * One line an implementer: its name, then `part:name` in hexadecimal.
 */
const IMPLEMENTERS: Readonly<Record<number, string>> = {
  65:
    "ARM 810:ARM810 920:ARM920 922:ARM922 926:ARM926 b02:ARM11-MPCore b36:ARM1136 b56:ARM1156 b76:ARM1176 c05:Cortex-A5 " +
    "c07:Cortex-A7 c08:Cortex-A8 c09:Cortex-A9 c0d:Cortex-A17 c0e:Cortex-A17 c0f:Cortex-A15 d01:Cortex-A32 d02:Cortex-A34 " +
    "d03:Cortex-A53 d04:Cortex-A35 d05:Cortex-A55 d06:Cortex-A65 d07:Cortex-A57 d08:Cortex-A72 d09:Cortex-A73 " +
    "d0a:Cortex-A75 d0b:Cortex-A76 d0c:Neoverse-N1 d0d:Cortex-A77 d0e:Cortex-A76AE d13:Cortex-R52 d15:Cortex-R82 " +
    "d40:Neoverse-V1 d41:Cortex-A78 d42:Cortex-A78AE d43:Cortex-A65AE d44:Cortex-X1 d46:Cortex-A510 d47:Cortex-A710 " +
    "d48:Cortex-X2 d49:Neoverse-N2 d4a:Neoverse-E1 d4b:Cortex-A78C d4c:Cortex-X1C d4d:Cortex-A715 d4e:Cortex-X3 " +
    "d4f:Neoverse-V2 d80:Cortex-A520 d81:Cortex-A720 d82:Cortex-X4 d83:Neoverse-V3AE d84:Neoverse-V3 d85:Cortex-X925 " +
    "d87:Cortex-A725 d88:Cortex-A520AE d89:Cortex-A720AE d8a:C1-Nano d8b:C1-Pro d8c:C1-Ultra d8e:Neoverse-N3 " +
    "d8f:Cortex-A320 d90:C1-Premium",
  66: "Broadcom 00f:Brahma-B15 100:Brahma-B53 516:ThunderX2",
  67:
    "Cavium 0a0:ThunderX 0a1:ThunderX-88XX 0a2:ThunderX-81XX 0a3:ThunderX-83XX 0af:ThunderX2-99xx 0b0:OcteonTX2 " +
    "0b1:OcteonTX2-98XX 0b2:OcteonTX2-96XX 0b3:OcteonTX2-95XX 0b4:OcteonTX2-95XXN 0b5:OcteonTX2-95XXMM " +
    "0b6:OcteonTX2-95XXO 0b8:ThunderX3-T110",
  70: "Fujitsu 001:A64FX 003:MONAKA",
  72: "HiSilicon d01:Kunpeng-920 d02:Kunpeng-920B d06:HIP12 d40:Cortex-A76 d41:Cortex-A77",
  78: "NVIDIA 000:Denver 003:Denver-2 004:Carmel 010:Olympus",
  80: "APM 000:X-Gene",
  81:
    "Qualcomm 001:Oryon 201:Kryo 205:Kryo 211:Kryo 800:Falkor-V1 801:Kryo-V2 802:Kryo-3XX-Gold 803:Kryo-3XX-Silver " +
    "804:Kryo-4XX-Gold 805:Kryo-4XX-Silver c00:Falkor c01:Saphira",
  83: "Samsung 001:exynos-m1 002:exynos-m3 003:exynos-m4 004:exynos-m5",
  86: "Marvell 131:Feroceon-88FR131 581:PJ4 584:PJ4B-MP",
  97:
    "Apple 020:Icestorm-A14 021:Firestorm-A14 022:Icestorm-M1 023:Firestorm-M1 024:Icestorm-M1-Pro 025:Firestorm-M1-Pro " +
    "028:Icestorm-M1-Max 029:Firestorm-M1-Max 030:Blizzard-A15 031:Avalanche-A15 032:Blizzard-M2 033:Avalanche-M2 " +
    "034:Blizzard-M2-Pro 035:Avalanche-M2-Pro 036:Sawtooth-A16 037:Everest-A16 038:Blizzard-M2-Max 039:Avalanche-M2-Max " +
    "048:Sawtooth-M3-Max 049:Everest-M3-Max",
  109: "Microsoft d49:Azure-Cobalt-100",
  112: "Phytium 303:FTC310 660:FTC660 661:FTC661 662:FTC662 663:FTC663 664:FTC664 862:FTC862",
  192: "Ampere ac3:Ampere-1 ac4:Ampere-1a ac5:Ampere-1b ac7:Ampere-1c",
};

interface Core {
  readonly vendor: string;
  readonly model: string;
}

/** @param implementer and part as /proc/cpuinfo has them, `0x41` and `0xd0c`; what is not known is said as its number */
export function armCore(implementer: string, part: string): Core {
  const line = IMPLEMENTERS[Number(implementer)];
  const number = Number(part);
  const key = Number.isInteger(number) ? number.toString(16).padStart(3, "0") : part;
  const [vendor, ...cores] = line?.split(" ") ?? [`implementer ${implementer}`];
  const found = cores.find((core) => core.startsWith(`${key}:`));
  return { vendor: vendor as string, model: found?.slice(key.length + 1) ?? `part ${part}` };
}
