import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import type { LogOptions } from '../cluster.js';
import { listSegments, segmentPath } from './log-segments.js';

const CHUNK_BYTES = 64 * 1024;
const TAIL_BYTES = 64 * 1024;
const FOLLOW_POLL_MS = 100;
const NEWLINE = 10;

interface Position {
  readonly segment: number;
  readonly offset: number;
}

/** The last 64 KiB of a pod's output at most, from the start of a line where there is one. */
export function readLogTail(folder: string): string {
  const parts: Buffer[] = [];
  let missing = TAIL_BYTES;
  for (const segment of [...listSegments(folder)].reverse()) {
    if (missing <= 0) break;
    const part = readLast(segmentPath(folder, segment), missing);
    parts.unshift(part);
    missing -= part.length;
  }
  const tail = Buffer.concat(parts);
  const isCut = missing <= 0;
  return tail.subarray(isCut ? tail.indexOf(NEWLINE) + 1 : 0).toString('utf8');
}

/** Output of the pod in this folder. With `follow`, it goes on until `hasEnded` and everything is read. */
export async function* readPodLog(
  folder: string,
  options: LogOptions,
  hasEnded: () => boolean,
): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let at = options.tail === undefined ? firstPosition(folder) : positionOfTail(folder, options.tail);
  if (options.tail === undefined && at.segment > 0) yield droppedNotice(0, at.segment);
  while (!isAborted(options)) {
    const isLast = !options.follow || hasEnded(); // asked before reading: what was written until then is read
    for (const { text, next } of readOn(folder, at, decoder)) {
      at = next;
      if (text !== '') yield text;
      if (isAborted(options)) return;
    }
    if (isLast) break;
    await pause(FOLLOW_POLL_MS, options.signal);
  }
  const rest = decoder.end();
  if (rest !== '') yield rest;
}

/** All that is there after `at`, in chunks, through the segments. */
function* readOn(folder: string, at: Position, decoder: StringDecoder): Generator<{ text: string; next: Position }> {
  let { segment, offset } = at;
  for (;;) {
    // Listed before reading: a segment with a successor is complete.
    const newer = listSegments(folder).filter((one) => one > segment);
    for (let chunk = readAt(folder, segment, offset); chunk.length > 0; chunk = readAt(folder, segment, offset)) {
      offset += chunk.length;
      yield { text: decoder.write(chunk), next: { segment, offset } };
    }
    const [next] = newer;
    if (next === undefined) return;
    if (next > segment + 1) yield { text: droppedNotice(segment + 1, next), next: { segment, offset } };
    segment = next;
    offset = 0;
    yield { text: '', next: { segment, offset } };
  }
}

function isAborted({ signal }: LogOptions): boolean {
  return signal?.aborted === true;
}

function droppedNotice(from: number, to: number): string {
  return `[berth] ${to - from} older parts of this log were dropped: only the newest output is kept\n`;
}

function firstPosition(folder: string): Position {
  return { segment: listSegments(folder)[0] ?? 0, offset: 0 };
}

/** Where the last `lines` lines begin; a line without an end counts. */
function positionOfTail(folder: string, lines: number): Position {
  let missing = lines;
  let isVeryEnd = true;
  const segments = [...listSegments(folder)].reverse();
  for (const segment of segments) {
    const content = readLast(segmentPath(folder, segment), Number.MAX_SAFE_INTEGER);
    for (let at = content.length - 1; at >= 0; at -= 1) {
      const isLineEnd = content[at] === NEWLINE;
      if (isLineEnd && !isVeryEnd) missing -= 1;
      if (missing <= 0) return { segment, offset: lines > 0 ? at + 1 : content.length };
      isVeryEnd = false;
    }
  }
  return firstPosition(folder);
}

function readAt(folder: string, segment: number, offset: number): Buffer {
  return readRange(segmentPath(folder, segment), () => ({ offset, bytes: CHUNK_BYTES }));
}

function readLast(path: string, bytesMax: number): Buffer {
  return readRange(path, (size) => {
    const bytes = Math.min(size, bytesMax);
    return { offset: size - bytes, bytes };
  });
}

function readRange(path: string, rangeOf: (size: number) => { offset: number; bytes: number }): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return Buffer.alloc(0); // not there yet, or dropped already
  }
  try {
    const { offset, bytes } = rangeOf(fstatSync(file).size);
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(file, buffer, 0, bytes, offset));
  } finally {
    closeSync(file);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
