import { closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The output of a pod is a row of numbered files, of which the newest are kept: a reader that follows simply goes on
 * with the next number, and a pod that writes without end cannot fill the disk.
 */
export const SEGMENT_BYTES = 2 * 1024 * 1024;
export const SEGMENTS_KEPT = 4;

const NAME = /^log\.(\d{6,12})$/;

export function segmentPath(folder: string, number: number): string {
  return join(folder, `log.${String(number).padStart(6, '0')}`);
}

/** Numbers of the segments that exist, oldest first. */
export function listSegments(folder: string): readonly number[] {
  return namesIn(folder)
    .map((name) => NAME.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The writing end. Writes are synchronous: output that the kernel has not taken is lost when the shim is killed. */
export class LogWriter {
  private number = 0;
  private bytes = 0;
  private file: number;

  constructor(
    private readonly folder: string,
    private readonly segmentBytes = SEGMENT_BYTES,
  ) {
    this.file = openSync(segmentPath(folder, 0), 'a', 0o600);
  }

  write(chunk: Buffer): void {
    for (let start = 0; start < chunk.length; start += this.segmentBytes) {
      const part = chunk.subarray(start, start + this.segmentBytes);
      if (this.bytes > 0 && this.bytes + part.length > this.segmentBytes) this.nextSegment();
      this.bytes += this.append(part);
    }
  }

  close(): void {
    closeSync(this.file);
  }

  /** A full disk costs the pod its output, not its life: the bytes count as written and are dropped. */
  private append(part: Buffer): number {
    try {
      for (let done = 0; done < part.length;) done += writeSync(this.file, part, done);
    } catch {
      return part.length;
    }
    return part.length;
  }

  private nextSegment(): void {
    const full = this.file;
    try {
      this.file = openSync(segmentPath(this.folder, this.number + 1), 'a', 0o600);
    } catch {
      return; // no room for another file: the writes that follow fail, too, and are dropped
    }
    closeSync(full);
    this.number += 1;
    this.bytes = 0;
    rmSync(segmentPath(this.folder, this.number - SEGMENTS_KEPT), { force: true });
  }
}
