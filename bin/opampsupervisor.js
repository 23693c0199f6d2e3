#!/usr/bin/env node
/** What users call: loads the bundle that `npm run build` (or the package) put beside it. */
await import("../dist/main.js");
