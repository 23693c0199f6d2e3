import manifest from "../package.json" with { type: "json" };

/** The version of this supervisor. */
export const VERSION: string = manifest.version;
