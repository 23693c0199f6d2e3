/**
 * The `.dat` files of remote configurations: `AgentRemoteConfig` in binary form, as the Go supervisor keeps them. The
 * map is written and read entry by entry, because a generated map loses a file that a server calls `__proto__`. The hash
 * stands first: then a file that was cut off at any place is known by it.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { AgentConfigObjectSchema } from "../gen/opamp/v1/opamp_pb.js";
import type { RemoteConfig, RemoteFile } from "../core/values.js";

/** Far above what a server can send in one message. */
export const REMOTE_CONFIG_BYTES_MAX = 256 * 1024 * 1024;

/** Field numbers of AgentRemoteConfig, AgentConfigMap and of any map's entries. */
const CONFIG = 1;
const CONFIG_HASH = 2;
const CONFIG_MAP = 1;
const KEY = 1;
const VALUE = 2;

export function encodeRemoteConfig(config: RemoteConfig): Uint8Array {
  const map = new BinaryWriter();
  for (const file of config.files) map.tag(CONFIG_MAP, WireType.LengthDelimited).bytes(encodeEntry(file));
  return new BinaryWriter()
    .tag(CONFIG_HASH, WireType.LengthDelimited)
    .bytes(Buffer.from(config.hash, "hex"))
    .tag(CONFIG, WireType.LengthDelimited)
    .bytes(map.finish())
    .finish();
}

/** Throws when the bytes are no AgentRemoteConfig with a configuration in it. */
export function decodeRemoteConfig(bytes: Uint8Array): RemoteConfig {
  let hash = "";
  const files = new Map<string, RemoteFile>();
  let complete = false;
  for (const [number, value] of fieldsOf(bytes)) {
    if (number === CONFIG_HASH) hash = Buffer.from(value).toString("hex");
    if (number !== CONFIG) continue;
    complete = true;
    for (const [inner, entry] of fieldsOf(value)) {
      if (inner !== CONFIG_MAP) continue;
      const file = decodeEntry(entry);
      files.set(file.name, file);
    }
  }
  if (!complete) throw new Error("it holds no configuration");
  return { hash, files: [...files.values()] };
}

function encodeEntry({ name, body, contentType, role }: RemoteFile): Uint8Array {
  return new BinaryWriter()
    .tag(KEY, WireType.LengthDelimited)
    .string(name)
    .tag(VALUE, WireType.LengthDelimited)
    .bytes(toBinary(AgentConfigObjectSchema, create(AgentConfigObjectSchema, { body, contentType, role })))
    .finish();
}

function decodeEntry(bytes: Uint8Array): RemoteFile {
  let name = "";
  let object = create(AgentConfigObjectSchema);
  for (const [number, value] of fieldsOf(bytes)) {
    if (number === KEY) name = new TextDecoder("utf-8", { fatal: true }).decode(value);
    if (number === VALUE) object = fromBinary(AgentConfigObjectSchema, value);
  }
  return { name, body: object.body, contentType: object.contentType, role: object.role };
}

/** The length-delimited fields of a message; others are unknown to us and skipped. Throws where it is cut off. */
function* fieldsOf(bytes: Uint8Array): Generator<readonly [number, Uint8Array]> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited) yield [number, reader.bytes()];
    else reader.skip(wireType, number);
  }
}
