/** Bit masks by name, in both directions. Capabilities have 64 bits, so this is done with big integers. */
import type { DescEnum } from "@bufbuild/protobuf";
import {
  type AgentCapabilities,
  AgentCapabilitiesSchema,
  AgentToServerFlagsSchema,
  ServerCapabilitiesSchema,
  ServerToAgentFlagsSchema,
} from "../../src/gen/opamp/v1/opamp_pb.js";

/** The names of the bits that are set; a bit without a name is shown by its number. */
export function bitNames(mask: bigint, bits: DescEnum): string[] {
  const named = bits.values.filter((value) => value.number !== 0);
  const known = named.filter((value) => (mask & BigInt(value.number)) !== 0n);
  const rest = known.reduce((left, value) => left & ~BigInt(value.number), mask);
  return [...known.map((value) => shortName(value.name)), ...(rest === 0n ? [] : [`0x${rest.toString(16)}`])];
}

/** `AgentCapabilities_ReportsStatus` is `ReportsStatus`: the first part only repeats the name of the enum. */
export function shortName(name: string): string {
  return name.slice(name.indexOf("_") + 1);
}

/** A value that is newer than our schema is shown by its number. */
export function valueName(number: number, desc: DescEnum): string {
  const found = desc.values.find((value) => value.number === number);
  return found === undefined ? String(number) : shortName(found.name);
}

export function has(capabilities: bigint, bit: AgentCapabilities): boolean {
  return (capabilities & BigInt(bit)) !== 0n;
}

/** Every capability that the protocol knows and whether it is set, then the unknown bits. */
export function capabilityList(capabilities: bigint): { name: string; isOn: boolean }[] {
  const known = AgentCapabilitiesSchema.values
    .filter((value) => value.number !== 0)
    .map((value) => ({ name: shortName(value.name), isOn: (capabilities & BigInt(value.number)) !== 0n }));
  const unknown = bitNames(capabilities, AgentCapabilitiesSchema).filter((name) => name.startsWith("0x"));
  return [...known, ...unknown.map((name) => ({ name, isOn: true }))];
}

/** Which bits a field holds, by its full name. */
export const BITS_OF_FIELD: ReadonlyMap<string, DescEnum> = new Map<string, DescEnum>([
  ["opamp.proto.v1.AgentToServer.capabilities", AgentCapabilitiesSchema],
  ["opamp.proto.v1.AgentToServer.flags", AgentToServerFlagsSchema],
  ["opamp.proto.v1.ServerToAgent.capabilities", ServerCapabilitiesSchema],
  ["opamp.proto.v1.ServerToAgent.flags", ServerToAgentFlagsSchema],
]);
