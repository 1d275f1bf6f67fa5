import { join, sep } from 'node:path';
import { expect, jest } from '@jest/globals';

// They only end what hangs: a slow machine with other work takes a multiple of the time of a free one.
const UNIT_MS = 30_000;
/** Whole servers, databases and browsers. */
const CROSSING_ROOMS_MS = 180_000;

const sources = join(import.meta.dirname, '..', '..', 'src') + sep;
const isUnitTest = expect.getState().testPath?.startsWith(sources) === true;
jest.setTimeout(isUnitTest ? UNIT_MS : CROSSING_ROOMS_MS);
