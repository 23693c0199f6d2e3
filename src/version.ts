/** The version, from the package manifest, which the bundle carries. */
import manifest from "../package.json" with { type: "json" };

export const VERSION: string = manifest.version;
