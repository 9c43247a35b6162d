import * as zlib from "node:zlib";
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";
import { givenOptions, type OptionNames } from "../../base/options.ts";
import { COMPRESSION_SHIFT, HEADER_LENGTH } from "./header.ts";

export type Compression = "gzip" | "brotli" | "zstd";

export interface CompressOptions {
  /**
   * Payloads of at least this many bytes are compressed, and stored so only when that makes them smaller.
   * @default 1024
   */
  readonly threshold?: number;
  /**
   * `gzip` and `zstd` carry a checksum, `brotli` is the smallest. `zstd` needs Node 22.15 or 23.8 on **every** process that
   * reads the value.
   * @default "gzip"
   */
  readonly algorithm?: Compression;
}

interface Algorithm {
  /** Its number in the header: it never changes its meaning. */
  readonly id: 1 | 2 | 3;
  compress(payload: Buffer): Buffer;
  decompress(payload: Buffer, limits: { readonly maxOutputLength: number }): Buffer;
}

/** Not in the types of Node 20, nor in its runtime. */
interface ZstdRuntime {
  readonly zstdCompressSync?: (payload: Buffer, options: { params: Record<number, number> }) => Buffer;
  readonly zstdDecompressSync?: (payload: Buffer, limits: { readonly maxOutputLength: number }) => Buffer;
}

const { zstdCompressSync, zstdDecompressSync } = zlib as ZstdRuntime;
const NO_ZSTD = "zstd needs Node 22.15 or 23.8";
/** ZSTD_c_checksumFlag in zstd.h. */
const ZSTD_CHECKSUM_FLAG = 201;
/** About gzip's time for smaller results; the default, 11, is for files that are compressed once. */
const BROTLI_QUALITY = 5;
const DEFAULT_THRESHOLD = 1024;

const NAMES: OptionNames<CompressOptions> = { threshold: true, algorithm: true };

const ALGORITHMS: Record<Compression, Algorithm> = {
  gzip: {
    id: 1,
    compress: (payload) => zlib.gzipSync(payload),
    decompress: (payload, limits) => zlib.gunzipSync(payload, limits),
  },
  brotli: {
    id: 2,
    compress: (payload) =>
      zlib.brotliCompressSync(payload, {
        params: {
          [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
          [zlib.constants.BROTLI_PARAM_SIZE_HINT]: payload.length,
        },
      }),
    decompress: (payload, limits) => zlib.brotliDecompressSync(payload, limits),
  },
  zstd: {
    id: 3,
    compress: (payload) => required(zstdCompressSync)(payload, { params: { [ZSTD_CHECKSUM_FLAG]: 1 } }),
    decompress: (payload, limits) => required(zstdDecompressSync)(payload, limits),
  },
};

const BY_ID: Record<number, Algorithm> = Object.fromEntries(Object.values(ALGORITHMS).map((each) => [each.id, each]));

/** From a frame to a smaller frame, or the same one. */
export type Compressor = (frame: Buffer) => Buffer;

/** `maxOutputLength`: larger payloads stay as they are, because they would not be decompressed again. */
export function createCompressor(options: CompressOptions, maxOutputLength: number): Compressor {
  if (typeof options !== "object" || options === null)
    throw new InvalidArgumentError("compress", "false or an object", options);
  const { threshold = DEFAULT_THRESHOLD, algorithm: name = "gzip" } = givenOptions(options, NAMES, "compress");
  if (!Number.isSafeInteger(threshold) || threshold < 0) {
    throw new InvalidArgumentError("compress.threshold", "a whole number of bytes, 0 or more", threshold);
  }
  if (!Object.hasOwn(ALGORITHMS, name)) {
    throw new InvalidArgumentError("compress.algorithm", '"gzip", "brotli" or "zstd"', name);
  }
  if (name === "zstd" && zstdCompressSync === undefined) {
    throw new InvalidArgumentError("compress.algorithm", `"gzip" or "brotli" (${NO_ZSTD})`, name);
  }
  const algorithm = ALGORITHMS[name];
  return (frame) => {
    const length = frame.length - HEADER_LENGTH;
    return length < threshold || length > maxOutputLength ? frame : smaller(algorithm, frame);
  };
}

function smaller(algorithm: Algorithm, frame: Buffer): Buffer {
  const compressed = algorithm.compress(frame.subarray(HEADER_LENGTH));
  if (compressed.length + HEADER_LENGTH >= frame.length) return frame;
  const header = Buffer.from([frame[0]!, frame[1]! | (algorithm.id << COMPRESSION_SHIFT)]);
  return Buffer.concat([header, compressed]);
}

/** Bounded by `maxOutputLength` bytes: a few stored bytes can claim to be gigabytes. */
export function decompress(id: number, payload: Buffer, maxOutputLength: number): Buffer {
  try {
    return BY_ID[id]!.decompress(payload, { maxOutputLength });
  } catch (cause) {
    throw cause instanceof CodecError ? cause : decompressionError(cause, maxOutputLength);
  }
}

function decompressionError(cause: unknown, maxOutputLength: number): CodecError {
  const code = (cause as { code?: unknown }).code;
  if (code === "Z_BUF_ERROR") return new CodecError("truncated", "the compressed value is cut off", { cause });
  if (code === "ERR_BUFFER_TOO_LARGE") {
    const message = `the value would be more than ${maxOutputLength} bytes when decompressed (maxOutputLength)`;
    return new CodecError("corrupt", message, { cause });
  }
  return new CodecError("corrupt", "the compressed value is damaged", { cause });
}

function required<F>(operation: F | undefined): F {
  if (operation === undefined) throw new CodecError("unsupported", `the value is compressed with zstd, and ${NO_ZSTD}`);
  return operation;
}
