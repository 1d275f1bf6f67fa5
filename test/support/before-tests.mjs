import { openTestRun } from './test-run.mjs';

// Jest calls the default export, once, before the first suite.
export default openTestRun;
