import { closeTestRun } from './test-run.mjs';

// Jest calls the default export, once, after the last suite.
export default closeTestRun;
