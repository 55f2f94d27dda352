import { defineConfig } from 'vitest/config';

// `unit` is everything that needs only the clone: pure code beside its source, and real peers from npm packages.
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['test/conformance/**', 'test/browser/**', 'test/vectors/**', '**/node_modules/**', '**/dist/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    passWithNoTests: false,
  },
});
