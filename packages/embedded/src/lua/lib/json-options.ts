/** The options of cjson. */
export interface JsonOptions {
  sparseConvert: boolean;
  sparseRatio: number;
  sparseSafe: number;
  encodeMaxDepth: number;
  decodeMaxDepth: number;
  precision: number;
  keepBuffer: boolean;
  invalidNumbers: "off" | "on" | "null";
  decodeInvalidNumbers: boolean;
}
