import { defineConfig } from 'vitest/config';

// What takes minutes: fuzzing, and the tests of test/model and test/crash with the larger settings that scripts/run.mjs gives them.
export default defineConfig({
  test: {
    include: ['test/nightly/*.nightly.ts', 'test/model/*.test.ts', 'test/crash/*.test.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    disableConsoleIntercept: true,
    passWithNoTests: false,
  },
});
