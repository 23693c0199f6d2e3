/**
 * What a person wants an agent to run: named files and the hash that the server gave them. The hash covers every name,
 * body, content type and role, each with its length before it, so that no two sets of files share one.
 */
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { AgentRemoteConfigSchema, type AgentRemoteConfig } from "../../src/gen/opamp/v1/opamp_pb.js";

export interface ConfigFile {
  /** May be empty: the name of the only file. */
  readonly name: string;
  readonly body: string;
  readonly contentType: string;
  readonly role: string;
}

export interface RemoteConfig {
  readonly files: readonly ConfigFile[];
  readonly hash: Uint8Array;
}

export function configHash(files: readonly ConfigFile[]): Uint8Array {
  const hash = createHash("sha256");
  const sorted = files.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  for (const text of sorted.flatMap((file) => [file.name, file.body, file.contentType, file.role])) {
    const bytes = Buffer.from(text, "utf8");
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return Uint8Array.from(hash.digest());
}

export function remoteConfigMessage(config: RemoteConfig): AgentRemoteConfig {
  const files = config.files.map(({ name, body, contentType, role }) => [
    name,
    { body: Uint8Array.from(Buffer.from(body, "utf8")), contentType, role },
  ]);
  return create(AgentRemoteConfigSchema, {
    config: { configMap: Object.fromEntries(files) as Record<string, { body: Uint8Array }> },
    configHash: config.hash,
  });
}
