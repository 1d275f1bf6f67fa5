import { join, sep } from 'node:path';
import { expect, jest } from '@jest/globals';

// They only end what hangs: a slow machine with other work takes a multiple of the time of a free one.
const UNIT_MS = 30_000;
/** Whole servers, databases and browsers. */
const CROSSING_ROOMS_MS = 180_000;
/** Thousands of cases of each law. */
const DEEP_MS = 6 * 3_600_000;

const sources = join(import.meta.dirname, '..', '..', 'src') + sep;
const isUnitTest = expect.getState().testPath?.startsWith(sources) === true;
const isDeep = process.env['BERTH_LAW_CASES'] !== undefined;
jest.setTimeout(isDeep ? DEEP_MS : isUnitTest ? UNIT_MS : CROSSING_ROOMS_MS);
