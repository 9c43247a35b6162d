/**
 * What could go wrong, and the test for it:
 * - a value comes back as another than it was ................. faithful.test.ts, codec.property.test.ts
 * - an old value cannot be read, or a foreign one is ........... "header", golden.test.ts
 * - few stored bytes take all memory or time ................... bounds.test.ts
 * - an error shows a stored value or a key ..................... secrets.test.ts
 * - `{ encrypt: undefined }` stores in clear ................... "options of a primitive over its handle's"
 * - wrong options do something else than was meant ............. "options are refused at the door"
 */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Codec, type CodecOptions, createCodec, jsonCodec, mergeCodecOptions } from "./codec.ts";
import { anyReader, failure, SERIALIZERS } from "../../../test/support/codec.ts";

const KEY = randomBytes(32);
const encrypt = { keys: { k1: KEY }, current: "k1" };

function withValidate(validate: () => never): Codec<unknown> {
  return createCodec({ schema: { "~standard": { version: 1, vendor: "test", validate } } });
}

function roundTrip(options: CodecOptions<unknown>, value: unknown): unknown {
  const codec = createCodec(options);
  return codec.decode(codec.encode(value));
}

describe("header", () => {
  it("plain JSON is two bytes and the text", () => {
    expect(jsonCodec.encode({ a: "é" })).toEqual(Buffer.from('\0\0{"a":"é"}').fill("f901", 0, 2, "hex"));
  });

  it.each([
    ["foreign", '{"a":1}'],
    ["foreign", "héllo"],
    ["truncated", ""],
    ["truncated", Buffer.from([0xf9])],
    ["truncated", Buffer.from([0xf9, 0x01])],
    ["version", Buffer.from([0xfa, 0x01, 0x31])],
    ["version", Buffer.from([0xf9, 0x81, 0x31])],
    ["version", Buffer.from([0xf9, 0x07, 0x31])],
    ["corrupt", Buffer.from([0xf9, 0x01, 0x7b])],
    ["corrupt", Buffer.from([0xf9, 0x0f, 0x00])],
    ["corrupt", Buffer.from([0xf9, 0x03, 0xc1])],
    ["corrupt", Buffer.from([0xf9, 0x03, 0xc0, 0xc0])],
    ["truncated", Buffer.from([0xf9, 0x03, 0xdd, 0x7f, 0xff, 0xff, 0xff])],
    ["truncated", Buffer.from([0xf9, 0x03])],
    ["key", Buffer.from([0xf9, 0x41, ...randomBytes(64)])],
  ])("%s: %j", (reason, stored) => {
    expect(failure(() => anyReader.decode(Buffer.from(stored as string))).reason).toBe(reason);
  });

  it("a changed configuration still reads old values, of the serializers that it names", () => {
    const old = createCodec({ serializer: "structured", compress: { algorithm: "brotli", threshold: 0 } });
    const value = { seen: new Set(Array.from({ length: 50 }, (_, n) => n)) };
    expect(createCodec({ serializer: "msgpack", reads: ["structured"] }).decode(old.encode(value))).toEqual(value);
    expect(failure(() => createCodec({ serializer: "msgpack" }).decode(old.encode(value)))).toMatchObject({
      reason: "unsupported",
      message: expect.stringContaining("reads") as string,
    });
  });

  it.each(SERIALIZERS)("%s reads its own, and a top-level undefined", (serializer) => {
    const codec = createCodec({ serializer });
    const own = Buffer.from("x");
    expect(codec.decode(codec.encode(serializer === "bytes" ? own : "x"))).toEqual(serializer === "bytes" ? own : "x");
    expect(codec.decode(jsonCodec.encode(undefined))).toBeUndefined();
    for (const other of SERIALIZERS.filter((each) => each !== serializer)) {
      const stored = createCodec({ serializer: other }).encode(other === "bytes" ? own : "x");
      expect(failure(() => codec.decode(stored)).reason).toBe("unsupported");
    }
  });

  it("names say what a codec does", () => {
    expect(jsonCodec.name).toBe("json");
    expect(createCodec({ serializer: "msgpack", compress: {}, encrypt }).name).toBe("msgpack+gzip+aes-256-gcm");
  });
});

describe("what cannot be stored is refused", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  class Point {
    readonly x = 1;
  }

  it.each<[string, CodecOptions<unknown>["serializer"], unknown]>([
    ["a function", "json", () => 1],
    ["a symbol", "json", Symbol("s")],
    ["a bigint", "json", { n: 1n }],
    ["a circle", "json", circular],
    ["a toJSON that throws", "json", { toJSON: () => JSON.parse("{") as unknown }],
    ["a function", "structured", { f: () => 1 }],
    ["a class instance", "structured", new Point()],
    ["a key __proto__", "structured", JSON.parse('{"__proto__":1}')],
    ["a function", "msgpack", { f: () => 1 }],
    ["a symbol", "msgpack", Symbol("s")],
    ["a circle", "msgpack", circular],
    ["a class instance", "msgpack", new Point()],
    ["a Map", "msgpack", new Map()],
    ["a Set", "msgpack", [new Set()]],
    ["an array of 16-bit numbers", "msgpack", new Uint16Array(1)],
    ["an invalid Date", "msgpack", new Date(Number.NaN)],
    ["a key __proto__", "msgpack", JSON.parse('{"__proto__":1}')],
    ["text", "bytes", "text"],
    ["null", "bytes", null],
  ])("%s by %s", (_, serializer = "json", value) => {
    expect(failure(() => createCodec({ serializer }).encode(value)).reason).toBe("unserializable");
  });

  it("the message of JSON leads to structured", () => {
    expect(failure(() => jsonCodec.encode({ n: 1n })).message).toContain('serializer "structured"');
  });

  it("an error of structured says where", () => {
    const error = failure(() => createCodec({ serializer: "structured" }).encode({ a: [() => 1] }));
    expect(error.message).toContain(".a[0]");
  });
});

describe("structured", () => {
  it("circular and repeated references survive", () => {
    const shared = { n: 1 };
    const value: Record<string, unknown> = { list: [shared, shared] };
    value["self"] = value;
    const back = roundTrip({ serializer: "structured" }, value) as { list: [object, object]; self: unknown };
    expect(back.self).toBe(back);
    expect(back.list[0]).toBe(back.list[1]);
  });

  it("an invalid Date stays one", () => {
    const back = roundTrip({ serializer: "structured" }, [new Date(Number.NaN)]) as [Date];
    expect(back[0]).toBeInstanceOf(Date);
    expect(back[0].getTime()).toBeNaN();
  });

  it.each([
    ["a Buffer of the pool", Buffer.from("abc")],
    ["a part of a larger array", new Uint8Array(4096).fill(7).subarray(10, 13)],
    ["a DataView on a part", new DataView(new ArrayBuffer(4096), 100, 3)],
    ["a part of a Uint16Array", new Uint16Array(2048).subarray(5, 8)],
  ])("of %s only the visible bytes are stored", (_, view) => {
    const codec = createCodec({ serializer: "structured" });
    const stored = codec.encode({ view });
    expect(stored.length).toBeLessThan(100);
    const back = (codec.decode(stored) as { view: ArrayBufferView }).view;
    expect(Buffer.from(back.buffer, back.byteOffset, back.byteLength)).toEqual(
      Buffer.from(view.buffer, view.byteOffset, view.byteLength),
    );
  });
});

describe("msgpack", () => {
  const codec = createCodec({ serializer: "msgpack" });

  it("binary values come back as what they were, apart from the stored bytes", () => {
    const stored = codec.encode({ b: new Uint8Array([1, 2, 3]), buffer: Buffer.from([4, 5, 6]) });
    const back = codec.decode(stored) as { b: Uint8Array; buffer: Buffer };
    stored.fill(0);
    expect(back.b).toStrictEqual(new Uint8Array([1, 2, 3]));
    expect(back.buffer).toStrictEqual(Buffer.from([4, 5, 6]));
  });

  it("a property that is undefined disappears", () => {
    expect(codec.decode(codec.encode({ a: undefined, b: 1 }))).toStrictEqual({ b: 1 });
  });

  it("a getter may encode in the middle of encoding", () => {
    const value = {
      get inner(): unknown {
        return codec.decode(codec.encode({ deep: "x".repeat(5000) }));
      },
      after: 1,
    };
    expect(codec.decode(codec.encode(value))).toEqual({ inner: { deep: "x".repeat(5000) }, after: 1 });
  });

  it("a few bytes that claim gigabytes are refused before anything is allocated", () => {
    const claims = Buffer.concat(Array.from({ length: 30 }, () => Buffer.from([0xdd, 0x01, 0xff, 0xff, 0xff])));
    expect(failure(() => codec.decode(Buffer.concat([Buffer.from([0xf9, 3]), claims]))).reason).toBe("truncated");
  });
});

describe("bytes", () => {
  it("come back as a Buffer apart from the stored bytes", () => {
    const codec = createCodec<Buffer>({ serializer: "bytes" });
    const stored = codec.encode(Buffer.from("abc"));
    const back = codec.decode(stored);
    stored.fill(0);
    expect(back).toStrictEqual(Buffer.from("abc"));
  });
});

describe("schema", () => {
  interface User {
    readonly id: number;
  }
  const schema: NonNullable<CodecOptions<User>["schema"]> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate(value) {
        const { id } = value as Partial<User>;
        if (typeof id === "number") return { value: { id } };
        return { issues: [{ message: "expected a number", path: ["user", { key: "id" }, 0] }, { message: "bad" }] };
      },
    },
  };

  it("its output is what is stored and what is read", () => {
    const codec = createCodec({ schema });
    const withExtra = { id: 1, password: "x" };
    expect(jsonCodec.decode(codec.encode(withExtra))).toEqual({ id: 1 });
    expect(codec.decode(jsonCodec.encode(withExtra))).toEqual({ id: 1 });
  });

  it("reports where a value does not match, on both ways", () => {
    const codec = createCodec({ schema });
    const wrong = { id: "1" };
    const encoding = failure(() => codec.encode(wrong as unknown as User));
    const decoding = failure(() => codec.decode(jsonCodec.encode(wrong)));
    for (const error of [encoding, decoding]) {
      expect(error.reason).toBe("validation");
      expect(error.message).toContain("at user.id.0, the top");
    }
  });

  it("asynchronous and throwing schemas are reported as such", () => {
    const asynchronous = withValidate(() => Promise.reject(new Error("later")) as never);
    const throwing = withValidate(() => {
      throw new Error("broken");
    });
    expect(failure(() => asynchronous.encode({})).reason).toBe("unsupported");
    expect(failure(() => throwing.encode({})).reason).toBe("validation");
  });
});

describe("options of a primitive over its handle's", () => {
  it("count as not given where they are undefined", () => {
    const merged = mergeCodecOptions<unknown>({ encrypt, serializer: "msgpack" }, {
      encrypt: undefined,
      serializer: undefined,
      compress: false,
    } as never);
    expect(merged).toEqual({ encrypt, serializer: "msgpack", compress: false });
    expect(createCodec(merged).encode("card").includes("card")).toBe(false);
  });

  it("leave out what is no codec option", () => {
    expect(mergeCodecOptions({}, { ttl: "1m", strict: false } as never)).toEqual({ strict: false });
  });
});

describe("options are refused at the door", () => {
  const secret = "ab".repeat(31);

  it.each<[string, unknown]>([
    ["serializer", { serializer: "xml" }],
    ["serializer", { serializer: "toString" }],
    ["compress", { compress: "gzip" }],
    ["compress.threshold", { compress: { threshold: -1 } }],
    ["compress.algorithm", { compress: { algorithm: "lz4" } }],
    ["maxOutputLength", { maxOutputLength: 0.5 }],
    ["maxItems", { maxItems: 0 }],
    ["maxDepth", { maxDepth: 257 }],
    ["strict", { strict: "yes" }],
    ["reads", { reads: "msgpack" }],
    ["reads", { reads: ["xml"] }],
    ["compres", { compres: {} }],
    ["treshold", { compress: { treshold: 1 } }],
    ["schema", { schema: null }],
    ["encrypt", { encrypt: null }],
    ["encrypt.allowPlaintext", { encrypt: { ...encrypt, allowPlaintext: 1 } }],
    ["encrypt.keys", { encrypt: { keys: null, current: "k" } }],
    ["schema", { schema: {} }],
    ["encrypt.keys", { encrypt: {} }],
    ["encrypt.keys", { encrypt: { keys: { ["x".repeat(256)]: KEY }, current: "k" } }],
    ["encrypt.keys", { encrypt: { keys: { k: secret }, current: "k" } }],
    ["encrypt.keys", { encrypt: { keys: { k: KEY.subarray(1) }, current: "k" } }],
    ["encrypt.keys", { encrypt: { keys: { k: 5 }, current: "k" } }],
    ["encrypt.current", { encrypt: { keys: { k: KEY }, current: "toString" } }],
  ])("%s: %o", (field, options) => {
    expect(() => createCodec(options as CodecOptions<unknown>)).toThrow(expect.objectContaining({ field }));
  });

  it("a wrong key is never quoted", () => {
    const create = () => createCodec({ encrypt: { keys: { k: secret }, current: "k" } });
    expect(create).toThrow(InvalidArgumentError);
    expect(create).not.toThrow(secret.slice(0, 10));
  });
});

describe("Buffers", () => {
  it.each(["structured", "msgpack"] as const)("come back as Buffers, by %s", (serializer) => {
    const value = {
      empty: Buffer.alloc(0),
      some: Buffer.from("ab"),
      bytes: new Uint8Array([1]),
      list: [Buffer.of(255)],
    };
    const back = roundTrip({ serializer }, value);
    expect(back).toStrictEqual(value);
  });

  it.each([
    [
      "structured",
      "f9025b7b2262223a317d2c5b22427566666572222c325d2c5b2255696e74384172726179222c335d2c5b2241727261794275666665722",
    ],
    ["msgpack", "f90381a162d502dead"],
  ] as const)("are stored by %s as they were the first time", (serializer, hex) => {
    expect(
      createCodec({ serializer })
        .encode({ b: Buffer.of(0xde, 0xad) })
        .toString("hex"),
    ).toContain(hex);
  });
});

describe("text, and serializers of one's own", () => {
  it("text is stored as it is, and nothing but text", () => {
    const codec = createCodec({ serializer: "text" });
    expect(codec.encode("{é}").toString("hex")).toBe(`f904${Buffer.from("{é}").toString("hex")}`);
    for (const text of ["", "naïve 🚀", "\u0000"]) expect(codec.decode(codec.encode(text))).toBe(text);
    expect(codec.decode(codec.encode(undefined))).toBeUndefined();
    for (const value of [1, null, {}, "\ud800"])
      expect(() => codec.encode(value)).toThrow(/serializer "text" takes a well-formed string/);
  });

  const own = {
    encode: (value: unknown) => Buffer.from(JSON.stringify(value)).toReversed(),
    decode: (bytes: Buffer): unknown => JSON.parse(Buffer.from(bytes.toReversed()).toString()),
  };

  it("one of one's own is used, also compressed and encrypted", () => {
    const encrypt = { keys: { k: "11".repeat(32) }, current: "k" };
    for (const more of [{}, { compress: { threshold: 1 } }, { encrypt }])
      expect(roundTrip({ serializer: own, ...more }, { a: ["é"] })).toEqual({ a: ["é"] });
    expect(createCodec({ serializer: own }).encode("ab").toString("hex")).toBe("f90522626122");
    expect(
      createCodec({ serializer: { encode: () => "text", decode: String } })
        .encode(1)
        .toString("latin1"),
    ).toBe("\xf9\x05text");
    expect(createCodec({ serializer: own }).name).toBe("custom");
  });

  it("what it cannot do is a CodecError that quotes nothing", () => {
    const throws = (): never => {
      throw new Error("secret");
    };
    const broken = createCodec({ serializer: { encode: throws, decode: throws } });
    expect(() => broken.encode("secret")).toThrow(/^the value cannot be stored: its serializer threw/);
    expect(() => broken.decode(Buffer.from("f90561", "hex"))).toThrow(/damaged/);
    const lazy = createCodec({ serializer: { encode: () => Promise.resolve("x") as never, decode: String } });
    expect(() => lazy.encode(1)).toThrow(/neither bytes nor a well-formed string/);
  });

  it("is read where it is named, and one only", () => {
    const stored = createCodec({ serializer: own }).encode(7);
    expect(createCodec({ reads: [own] }).decode(stored)).toBe(7);
    expect(createCodec({ serializer: own, reads: ["json"] }).decode(createCodec().encode(7))).toBe(7);
    expect(() => createCodec().decode(stored)).toThrow(
      /a serializer of the user's own, which this codec does not read/,
    );
    expect(() => createCodec({ serializer: own, reads: [{ ...own }] })).toThrow(/one serializer of your own at most/);
    expect(() => createCodec({ serializer: { encode: String } as never })).toThrow(/or one of your own/);
  });
});
