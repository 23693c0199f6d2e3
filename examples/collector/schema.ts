/** What a component's configuration may look like, and how it is shown once its defaults are filled in. */
import type { ConfigValue } from "./value.js";

/** `undefined` as a fallback means that an absent key stays absent in what is shown. */
export type Schema = (
  | { readonly is: "string"; readonly fallback: string | null | undefined; readonly check?: (text: string) => string | null; readonly write?: (text: string) => string }
  | { readonly is: "secret" }
  | { readonly is: "bool"; readonly fallback: boolean | undefined }
  | { readonly is: "int"; readonly type: string; readonly fallback: bigint | undefined }
  | { readonly is: "float"; readonly fallback: number | undefined }
  | { readonly is: "duration"; readonly fallback: string | undefined }
  | { readonly is: "list"; readonly of: Schema; readonly fallback: readonly ConfigValue[] | undefined }
  | { readonly is: "map"; readonly of: Schema; readonly fallback: ConfigValue | undefined }
  | { readonly is: "headers" }
  | ObjectSchema
  | { readonly is: "optional"; readonly of: ObjectSchema }
  | { readonly is: "pointer"; readonly of: ObjectSchema }
  | { readonly is: "any"; readonly fallback: ConfigValue | undefined }
) & {
  /** Not part of the shown configuration. */
  readonly hidden?: true;
};

export interface ObjectSchema {
  readonly is: "object";
  /** The Go type that an error names when the object is the root. */
  readonly type: string;
  readonly fields: Readonly<Record<string, Schema>>;
  /** Unknown keys are accepted and ignored. */
  readonly open?: true;
  readonly hidden?: true;
}

export const text = (fallback?: string | null, check?: (text: string) => string | null): Schema =>
  check === undefined ? { is: "string", fallback } : { is: "string", fallback, check };
export const secret: Schema = { is: "secret" };
export const bool = (fallback?: boolean): Schema => ({ is: "bool", fallback });
export const int = (type: string, fallback?: number): Schema => ({ is: "int", type, fallback: fallback === undefined ? undefined : BigInt(fallback) });
export const float = (fallback?: number): Schema => ({ is: "float", fallback });
export const duration = (fallback?: string): Schema => ({ is: "duration", fallback });
export const list = (of: Schema, fallback?: readonly ConfigValue[]): Schema => ({ is: "list", of, fallback });
export const mapOf = (of: Schema, fallback?: ConfigValue): Schema => ({ is: "map", of, fallback });
export const object = (type: string, fields: Readonly<Record<string, Schema>>): ObjectSchema => ({ is: "object", type, fields });
export const optional = (of: ObjectSchema): Schema => ({ is: "optional", of });
/** Left out where nothing was given, and not named apart in an error. */
export const pointer = (of: ObjectSchema): Schema => ({ is: "pointer", of });
export const any = (fallback?: ConfigValue): Schema => ({ is: "any", fallback });
export const headers: Schema = { is: "headers" };
export const hidden = (schema: Schema): Schema => ({ ...schema, hidden: true });
