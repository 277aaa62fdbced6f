import { defineConfig } from 'vitest/config';

// One file after the other: they measure times, and the machine may be small.
export default defineConfig({
  test: {
    include: ['e2e/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['verbose', './e2e/reporter.ts'],
  },
});
