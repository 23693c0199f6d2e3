import { defineConfig } from "vitest/config";

/**
 * Against programs that are not ours: the real Collector, a server made with opamp-go, a browser. One file at a time:
 * Collectors share the machine's port 8888.
 */
export default defineConfig({
  test: {
    include: ["test/interop/**/*.interop.test.ts"],
    globalSetup: ["test/interop/setup.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
