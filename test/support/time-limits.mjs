import { expect, jest } from '@jest/globals';

const UNIT_MS = 10_000;
/** Whole servers, databases and browsers, on a machine that does other things too. */
const CROSSING_ROOMS_MS = 60_000;

const isUnitTest = /[\\/]src[\\/]/.test(expect.getState().testPath ?? '');
jest.setTimeout(isUnitTest ? UNIT_MS : CROSSING_ROOMS_MS);
