// `node --import …/register-typescript.mjs x.ts` runs TypeScript outside the build, such as a benchmark.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
