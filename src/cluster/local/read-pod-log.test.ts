import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LogOptions } from '../cluster.js';
import { LogWriter, SEGMENTS_KEPT, listSegments, segmentPath } from './log-segments.js';
import { readLogTail, readPodLog } from './read-pod-log.js';

const SEGMENT_BYTES = 100;

describe('the output of a pod', () => {
  let folder: string;
  let writer: LogWriter;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-log-'));
    writer = new LogWriter(folder, SEGMENT_BYTES);
  });

  afterEach(() => {
    writer.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function read(options: LogOptions, hasEnded = (): boolean => true): Promise<string> {
    let text = '';
    for await (const chunk of readPodLog(folder, options, hasEnded)) text += chunk;
    return text;
  }

  function write(lines: number, from = 1): void {
    for (let line = from; line < from + lines; line += 1) writer.write(Buffer.from(`line ${line}\n`));
  }

  it('is read whole while it fits', async () => {
    write(20);
    expect(listSegments(folder).length).toBeGreaterThan(1);
    expect((await read({ follow: false })).split('\n')).toHaveLength(20 + 1);
  });

  it('keeps the newest parts and says what was dropped', async () => {
    write(100);
    expect(listSegments(folder)).toHaveLength(SEGMENTS_KEPT);
    const text = await read({ follow: false });
    expect(text).toMatch(/^\[berth\] \d+ older parts of this log were dropped/);
    expect(text).toContain('line 100\n');
    expect(text).not.toContain('line 50\n');
  });

  it.each([
    [1, 'line 20\n'],
    [3, 'line 18\nline 19\nline 20\n'],
    [0, ''],
  ])('gives its last %i lines, over segments', async (tail, want) => {
    write(20);
    expect(await read({ follow: false, tail })).toBe(want);
  });

  it('counts a last line without an end', async () => {
    writer.write(Buffer.from('one\ntwo\nthr'));
    expect(await read({ follow: false, tail: 2 })).toBe('two\nthr');
    expect(await read({ follow: false, tail: 99 })).toBe('one\ntwo\nthr');
  });

  it('never cuts a character in two', async () => {
    const bytes = Buffer.from('größer\n');
    writer.write(bytes.subarray(0, 3)); // inside of ö
    let looks = 0;
    const text = await read({ follow: true }, () => {
      looks += 1;
      if (looks === 2) writer.write(bytes.subarray(3));
      return looks > 2;
    });
    expect(text).toBe('größer\n');
  });

  it('is followed through its segments to the end of the pod', async () => {
    let looks = 0;
    const text = await read({ follow: true }, () => {
      looks += 1;
      write(15, (looks - 1) * 15 + 1);
      return looks === 3;
    });
    expect(text.trim().split('\n')).toEqual(Array.from({ length: 45 }, (_, index) => `line ${index + 1}`));
  });

  it('stops being followed at once when the reader leaves', async () => {
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 20);
    expect(await read({ follow: true, signal: controller.signal }, () => false)).toBe('');
  });

  it('is cut for the ledger to whole lines of its last 64 KiB', () => {
    const line = `${'x'.repeat(999)}\n`;
    appendFileSync(segmentPath(folder, 0), line.repeat(100));
    const tail = readLogTail(folder);
    expect(tail).toBe(line.repeat(65));
    expect(readLogTail(join(folder, 'nowhere'))).toBe('');
  });
});
