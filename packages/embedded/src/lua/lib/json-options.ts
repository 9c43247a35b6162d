/** What cjson can be told to do otherwise. */
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
