/** @type {import('jest').Config} */
export default {
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testMatch: ['**/*.test.ts', '**/*.test.tsx'],
  // Suites that want the machine for themselves run with `npm run test:deep`, which sets the number of cases.
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.BERTH_LAW_CASES === undefined ? ['\\.deep\\.test\\.ts$'] : []),
  ],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': '@swc/jest',
    '^.+\\.tsx$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript', tsx: true }, transform: { react: { runtime: 'automatic' } } } },
    ],
  },
  globalSetup: '<rootDir>/test/support/before-tests.mjs',
  globalTeardown: '<rootDir>/test/support/after-tests.mjs',
  setupFilesAfterEnv: ['<rootDir>/test/support/time-limits.mjs'],
  reporters: ['default', '<rootDir>/test/support/closing-line.mjs'],
  // Tests in test/ start servers and databases of their own: more than two at once would only wait for each other.
  maxWorkers: 2,
};
