import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CHECKOUT } from '../support/scratch-checkout.js';

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
type LockEntries = Readonly<Record<string, LockEntry>>;

const { packages } = JSON.parse(readFileSync(join(CHECKOUT, 'package-lock.json'), 'utf8')) as { packages: LockEntries };

/** Where Node would find `name` from inside the package at `path`: its own node_modules, then that of each parent. */
function hasEntry(entries: LockEntries, path: string, name: string): boolean {
  const nesting = path.split('/node_modules/');
  const parents = nesting.map((_, depth) => `${nesting.slice(0, depth + 1).join('/node_modules/')}/`);
  return ['', ...parents].some((parent) => `${parent}node_modules/${name}` in entries);
}

function withoutEntry(entries: LockEntries): string[] {
  return Object.entries(entries).flatMap(([path, entry]) =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
      .filter((name) => !hasEntry(entries, path, name))
      .map((name) => `${path} needs ${name}`),
  );
}

describe('package-lock.json', () => {
  // npm forgets the packages of other systems when it writes a lockfile over an existing node_modules; then the next
  // `npm ci` on such a system installs, and fails at run time.
  it('has an entry for every dependency that a package names, also those for other systems', () => {
    expect(withoutEntry(packages)).toEqual([]);
  });

  it('would be refused with a platform package missing', () => {
    const { ['node_modules/@swc/core-darwin-arm64']: _gone, ...rest } = packages;
    expect(withoutEntry(rest)).toEqual(['node_modules/@swc/core needs @swc/core-darwin-arm64']);
  });

  it('works with any registry: it pins contents, and no addresses', () => {
    const entries = Object.entries(packages).filter(([path]) => path !== '');
    expect(entries.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(entries.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
  });
});
