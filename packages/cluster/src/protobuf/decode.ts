import { isJsonObject, type JsonObject, type JsonValue } from "../api/object.ts";
import { apiTime } from "../storage/storage.ts";
import { messages } from "./messages.ts";
import { WireReader } from "./reader.ts";

export const protobufType = "application/vnd.kubernetes.protobuf";

const magic = Buffer.from("k8s\0", "latin1");
const maxDepth = 64;

interface Field {
  name: string;
  type: string;
  flag: string;
}

/**
 * Reads the bodies that Kubernetes clients send as protobuf into the JSON that they stand for. The message tables are
 * parsed on first use.
 */
export class ProtobufDecoder {
  readonly #fields = new Map<string, Map<number, Field>>();

  /** Throws RangeError when the bytes are malformed or the kind is not known. */
  decode(body: Uint8Array): JsonObject {
    if (!magic.equals(body.subarray(0, 4))) throw new RangeError("protobuf: no k8s prefix");
    const envelope = new WireReader(body.subarray(4));
    let meta: { apiVersion: string; kind: string } = { apiVersion: "", kind: "" };
    let raw: Uint8Array = new Uint8Array();
    while (!envelope.done) {
      const { field, wire } = envelope.tag();
      if (field === 1 && wire === 2) meta = readTypeMeta(envelope.bytes());
      else if (field === 2 && wire === 2) raw = envelope.bytes();
      else envelope.skip(wire);
    }
    if (!Object.hasOwn(messages, meta.kind)) {
      throw new RangeError(`protobuf: kind ${JSON.stringify(meta.kind)} can be sent as JSON only`);
    }
    return { ...meta, ...this.#message(meta.kind, raw, 0) };
  }

  #fieldsOf(message: string): Map<number, Field> {
    let fields = this.#fields.get(message);
    if (!fields) {
      const text = messages[message];
      if (text === undefined) throw new RangeError(`protobuf: no message ${message}`);
      fields = new Map();
      for (const part of text.split("|")) {
        const match = /^(\d+) ([*%&^]?)(\w+) (\w+)$/.exec(part);
        if (!match) continue;
        const [, number, flag = "", type = "", name = ""] = match;
        fields.set(Number(number), { flag, type, name });
      }
      this.#fields.set(message, fields);
    }
    return fields;
  }

  #message(message: string, bytes: Uint8Array, depth: number): JsonObject {
    if (depth > maxDepth) throw new RangeError("protobuf: nested too deeply");
    const fields = this.#fieldsOf(message);
    const reader = new WireReader(bytes);
    const object: JsonObject = {};
    while (!reader.done) {
      const { field: number, wire } = reader.tag();
      const field = fields.get(number);
      if (!field) reader.skip(wire);
      else this.#field(object, field, reader, wire, depth);
    }
    return object;
  }

  #field(object: JsonObject, field: Field, reader: WireReader, wire: number, depth: number): void {
    const { name, type, flag } = field;
    if (flag === "%") {
      const map = isJsonObject(object[name]) ? object[name] : {};
      const [key, value] = this.#entry(type, reader.bytes(), depth);
      Object.defineProperty(map, key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      object[name] = map;
      return;
    }
    if (flag === "*" && type === "i" && wire === 2) {
      const packed = new WireReader(reader.bytes());
      const list = Array.isArray(object[name]) ? object[name] : [];
      while (!packed.done) list.push(packed.integer());
      object[name] = list;
      return;
    }
    const value = this.#value(type, reader, wire, depth);
    if (flag === "*") {
      const list = Array.isArray(object[name]) ? object[name] : [];
      list.push(value);
      object[name] = list;
    } else if (flag === "^") {
      if (isJsonObject(value)) Object.assign(object, value);
    } else if (flag === "&" || !isZero(value)) {
      object[name] = value;
    }
  }

  #entry(type: string, bytes: Uint8Array, depth: number): [string, JsonValue] {
    const reader = new WireReader(bytes);
    let key = "";
    let value: JsonValue = type === "s" || type === "y" ? "" : type === "Q" ? "0" : {};
    while (!reader.done) {
      const { field, wire } = reader.tag();
      if (field === 1) key = text(reader.bytes());
      else if (field === 2) value = this.#value(type, reader, wire, depth);
      else reader.skip(wire);
    }
    return [key, value];
  }

  #value(type: string, reader: WireReader, wire: number, depth: number): JsonValue {
    const expected = type === "i" || type === "b" ? 0 : type === "d" ? 1 : 2;
    if (wire !== expected) throw new RangeError("protobuf: wire type does not fit the field");
    if (type === "i") return reader.integer();
    if (type === "b") return reader.varint() !== 0n;
    if (type === "d") return reader.double();
    const bytes = reader.bytes();
    if (type === "s") return text(bytes);
    if (type === "y") return Buffer.from(bytes).toString("base64");
    const special = readSpecial(type, bytes);
    return special === undefined ? this.#message(type, bytes, depth + 1) : special;
  }
}

function readSpecial(type: string, bytes: Uint8Array): JsonValue | undefined {
  if (type === "T" || type === "M") return readTime(bytes, type === "M");
  if (type === "Q") return firstText(bytes);
  if (type === "L") return readStrings(bytes);
  if (type === "R") return JSON.parse(firstText(bytes) || "null") as JsonValue;
  if (type === "X") return readIntOrString(bytes);
  return undefined;
}

function isZero(value: JsonValue): boolean {
  if (value === null || value === "" || value === 0 || value === false) return true;
  return isJsonObject(value) && Object.keys(value).length === 0;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

function readTypeMeta(bytes: Uint8Array): { apiVersion: string; kind: string } {
  const [apiVersion = "", kind = ""] = [1, 2].map((wanted) => {
    const reader = new WireReader(bytes);
    let found = "";
    while (!reader.done) {
      const { field, wire } = reader.tag();
      if (field === wanted && wire === 2) found = text(reader.bytes());
      else reader.skip(wire);
    }
    return found;
  });
  return { apiVersion, kind };
}

function readStrings(bytes: Uint8Array): string[] {
  const reader = new WireReader(bytes);
  const list: string[] = [];
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1 && wire === 2) list.push(text(reader.bytes()));
    else reader.skip(wire);
  }
  return list;
}

function firstText(bytes: Uint8Array): string {
  return readStrings(bytes)[0] ?? "";
}

function readIntegers(bytes: Uint8Array): Map<number, number> {
  const reader = new WireReader(bytes);
  const found = new Map<number, number>();
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (wire === 0) found.set(field, reader.integer());
    else reader.skip(wire);
  }
  return found;
}

/** Seconds and nanoseconds; an empty message is no time. */
function readTime(bytes: Uint8Array, micro: boolean): string | null {
  if (bytes.length === 0) return null;
  const parts = readIntegers(bytes);
  const seconds = parts.get(1) ?? 0;
  const plain = apiTime(seconds * 1000);
  if (!micro) return plain;
  const micros = Math.floor((parts.get(2) ?? 0) / 1000);
  return plain.replace("Z", `.${String(micros).padStart(6, "0")}Z`);
}

function readIntOrString(bytes: Uint8Array): number | string {
  const numbers = readIntegers(bytes);
  if ((numbers.get(1) ?? 0) === 0) return numbers.get(2) ?? 0;
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 3 && wire === 2) return text(reader.bytes());
    reader.skip(wire);
  }
  return "";
}
