import { defineConfig } from 'vitest/config';

// Vectors published by others. They are not in the repository: COUNTERSIGN_VECTORS names the folder that holds them.
export default defineConfig({
  test: {
    include: ['test/vectors/**/*.test.ts'],
    testTimeout: 30_000,
    maxWorkers: 2,
  },
});
