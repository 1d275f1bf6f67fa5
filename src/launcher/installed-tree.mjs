import { accessSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} LockEntry
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {readonly string[]} [os]
 * @property {readonly string[]} [cpu]
 * @property {Readonly<Record<string, string>>} [optionalDependencies]
 * @typedef {Readonly<Record<string, LockEntry>>} LockEntries
 */

/**
 * What the lockfile asks for and `node_modules` does not hold, as sentences; empty when the tree is as it should be.
 *
 * npm writes `node_modules/.package-lock.json` as the last act of an install, so an interrupted install has none. It
 * is not proof enough alone: a package folder may have been deleted by hand since.
 * @param {string} root
 * @returns {string[]}
 */
export function missingFromTree(root) {
  const wanted = readEntries(join(root, 'package-lock.json'));
  const installed = readEntries(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined) return ['there is no package-lock.json'];
  if (installed === undefined) return ['the dependencies are not installed'];
  const ownPlatformPackages = Object.keys(wanted['']?.optionalDependencies ?? {});
  return Object.entries(wanted).flatMap(([path, entry]) => {
    if (path === '') return [];
    const have = installed[path];
    if (have === undefined) {
      // Packages for other systems are absent by design, and which C library a system has npm knows better than we do;
      // only what package.json itself names for this very platform must be there.
      const isOwn = ownPlatformPackages.includes(path.slice('node_modules/'.length)) && fitsThisPlatform(entry);
      return entry.optional === true && !isOwn ? [] : [`${path} is missing`];
    }
    if (have.version !== entry.version || have.integrity !== entry.integrity) return [`${path} is another version`];
    return isThere(join(root, path, 'package.json')) ? [] : [`${path} was deleted`];
  });
}

/**
 * @param {string} file
 * @returns {LockEntries | undefined} undefined when the file is absent or cut short
 */
function readEntries(file) {
  try {
    /** @type {unknown} */
    const lock = JSON.parse(readFileSync(file, 'utf8'));
    return /** @type {{ packages?: LockEntries }} */ (lock).packages;
  } catch {
    return undefined;
  }
}

/**
 * @param {LockEntry} entry
 * @returns {boolean}
 */
function fitsThisPlatform(entry) {
  return (entry.os?.includes(process.platform) ?? true) && (entry.cpu?.includes(process.arch) ?? true);
}

/**
 * @param {string} file
 * @returns {boolean}
 */
function isThere(file) {
  try {
    accessSync(file);
    return true;
  } catch {
    return false;
  }
}
