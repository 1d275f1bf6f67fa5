import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createHash } from 'node:crypto';
import { CHECKOUT, ScratchCheckout } from './scratch-checkout.js';

/** Enough of a `berth` command line to see how it was started and how it ends. */
const COMMAND_LINE = `
const args = process.argv.slice(2);
if (args.join() === 'up') {
  const alive = setInterval(() => undefined, 1_000);
  process.on('SIGTERM', () => {
    console.log('stopped');
    clearInterval(alive);
  });
}
console.log(JSON.stringify({ args, folder: process.cwd() }));
process.exitCode = Number(args.find((arg) => /^\\d+$/.test(arg)) ?? 0);
`;

/** A checkout with the real launcher and next to nothing to launch; the compiler is the only package, by a link. */
export function launcherCheckout(): ScratchCheckout {
  const checkout = new ScratchCheckout().copy('src/launcher', '.swcrc', '.npmrc').write({
    ...packageFiles({}),
    'node_modules/.package-lock.json': lockfile({}),
    'src/cli/main.ts': COMMAND_LINE,
  });
  linkPackage(checkout, '@swc/core');
  return checkout;
}

/** Makes one package of the real checkout available in the scratch checkout. */
export function linkPackage(checkout: ScratchCheckout, name: string): void {
  const link = checkout.path('node_modules', name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join(CHECKOUT, 'node_modules', name), link);
}

/** A checkout that must first install one package. */
export function checkoutToInstall(dependency: Dependency): ScratchCheckout {
  return new ScratchCheckout().copy('src/launcher', '.swcrc', '.npmrc').write(packageFiles({ dependency }));
}

export interface Dependency {
  readonly name: string;
  readonly from: string;
  readonly integrity: string;
}

/** A package in an archive of its own, so that npm can install it without a registry. */
export function packageInArchive(checkout: ScratchCheckout, bytes: number): Dependency {
  const name = 'cargo';
  checkout.write({
    'package/package.json': JSON.stringify({ name, version: '1.0.0' }),
    'package/freight.txt': 'x'.repeat(bytes),
  });
  const tar = spawnSync('tar', ['czf', 'cargo.tgz', 'package'], { cwd: checkout.folder });
  if (tar.status !== 0) throw new Error(`tar failed: ${tar.stderr.toString()}`);
  const hash = createHash('sha512')
    .update(readFileSync(checkout.path('cargo.tgz')))
    .digest('base64');
  return { name, from: `file:${checkout.path('cargo.tgz')}`, integrity: `sha512-${hash}` };
}

function packageFiles({ dependency }: { readonly dependency?: Dependency }): Record<string, string> {
  const { bin, scripts } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as Record<string, unknown>;
  const dependencies = dependency === undefined ? {} : { [dependency.name]: dependency.from };
  const manifest = { name: 'berth', version: '0.1.0', private: true, type: 'module', bin, scripts, dependencies };
  const entry =
    dependency === undefined
      ? {}
      : {
          [`node_modules/${dependency.name}`]: {
            version: '1.0.0',
            resolved: dependency.from,
            integrity: dependency.integrity,
          },
        };
  return {
    'package.json': JSON.stringify(manifest, undefined, 2),
    'package-lock.json': lockfile({ '': { name: 'berth', version: '0.1.0', dependencies }, ...entry }),
  };
}

function lockfile(packages: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(
    { name: 'berth', version: '0.1.0', lockfileVersion: 3, requires: true, packages },
    undefined,
    2,
  );
}

/** npm's own script, which npm tells the scripts it runs, and the PATH tells everyone else. */
export function npmScript(): string {
  const told = process.env['npm_execpath'];
  if (told !== undefined) return told;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, 'npm')).find((file) => existsSync(file));
  if (found === undefined) throw new Error('npm is not on the PATH');
  return realpathSync(found);
}
