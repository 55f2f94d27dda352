import { defineConfig } from 'vitest/config';

// `unit` is everything that needs only the clone: pure code beside its source, and real peers from npm packages.
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['test/conformance/**', 'test/browser/**', 'test/vectors/**', '**/node_modules/**', '**/dist/**'],
    // The heavy variant of the limits moves ten times as much (CONTRIBUTING.md).
    testTimeout: process.env.COUNTERSIGN_HEAVY ? 300_000 : 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    passWithNoTests: false,
  },
});
