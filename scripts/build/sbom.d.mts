export const SBOM_NAME: string;
interface Component {
  "bom-ref": string;
  type: string;
  name: string;
  version: string;
  licenses: { expression: string }[];
  cpe?: string;
  purl: string;
}
export function nodeParts(versions: Readonly<Record<string, string | undefined>>): {
  node: Component;
  parts: Component[];
};
export function sbomText(options?: { commit?: string }): string;
export function writeSbom(folder: string, commit: string): string;
