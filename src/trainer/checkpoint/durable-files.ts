import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Files that are whole or absent, also when the machine stops in between: written beside their place, synced, renamed.
 *
 * Everything here is synchronous: it runs in the training thread, where a step waits for it anyway.
 */
export function writeFileDurably(file: string, content: string | Buffer): void {
  const temporary = `${file}.tmp`;
  writeAndSync(temporary, content);
  renameSync(temporary, file);
  syncFolder(dirname(file));
}

/** A folder that appears with all its files at once; one of the same name is replaced. */
export function writeFolderDurably(folder: string, files: Readonly<Record<string, string | Buffer>>): void {
  const temporary = `${folder}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  for (const [name, content] of Object.entries(files)) writeAndSync(join(temporary, name), content);
  syncFolder(temporary);
  rmSync(folder, { recursive: true, force: true }); // rename does not replace a folder that holds something
  renameSync(temporary, folder);
  syncFolder(dirname(folder));
}

function writeAndSync(file: string, content: string | Buffer): void {
  const descriptor = openSync(file, 'w');
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
