import { defineConfig } from "vitest/config";

/** `npm test` needs no other toolchain; the interop tests have a configuration of their own (vitest.interop.config.ts). */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/interop/**", "node_modules/**"],
    globalSetup: ["test/e2e/support/build.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
