// Node's module hooks for TypeScript: `./x.js` may mean `./x.ts`, and a `.ts` is compiled as the build would.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';
import { inCheckout } from './checkout.mjs';

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, next) {
  const isRelative = /^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.startsWith('file:') === true;
  if (isRelative) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(source)) return next(source.href, context);
  }
  return next(specifier, context);
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
  const options = { configFile: inCheckout('.swcrc'), sourceMaps: /** @type {const} */ ('inline') };
  const { code } = await transformFile(fileURLToPath(url), options);
  return { format: 'module', source: code, shortCircuit: true };
}
