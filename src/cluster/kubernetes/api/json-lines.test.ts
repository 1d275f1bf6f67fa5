import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { MalformedLineError, readJsonLines } from './json-lines.js';

async function* chunksOf(...chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk));
}

async function read(...chunks: readonly (string | Uint8Array)[]): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of readJsonLines(chunksOf(...chunks), 1000)) values.push(value);
  return values;
}

const cases: Record<string, { chunks: readonly (string | Uint8Array)[]; want: readonly unknown[] }> = {
  'reads a line that comes in parts': { chunks: ['{"a"', ':1', '}\n'], want: [{ a: 1 }] },
  'reads several lines of one chunk': { chunks: ['1\n2\n', '3\n'], want: [1, 2, 3] },
  'keeps a character whole that is split between chunks': {
    chunks: [
      Buffer.from('"é🚢"\n').subarray(0, 2),
      Buffer.from('"é🚢"\n').subarray(2, 5),
      Buffer.from('"é🚢"\n').subarray(5),
    ],
    want: ['é🚢'],
  },
  'passes over empty lines': { chunks: ['\n\r\n1\r\n'], want: [1] },
  'drops a last line that was cut off': { chunks: ['1\n{"a":'], want: [1] },
};

describe(readJsonLines.name, () => {
  it.each(Object.entries(cases))('%s', async (_title, { chunks, want }) => {
    expect(await read(...chunks)).toEqual(want);
  });

  it('says what it read before it met a line that is no JSON', async () => {
    const values: unknown[] = [];
    const reading = (async () => {
      for await (const value of readJsonLines(chunksOf('1\n<html>\n2\n'))) values.push(value);
    })();
    await expect(reading).rejects.toThrow(MalformedLineError);
    expect(values).toEqual([1]);
  });

  it('refuses a line that does not end', async () => {
    await expect(read('"', 'x'.repeat(600), 'y'.repeat(600))).rejects.toThrow('longer than 1000 bytes');
  });

  it('reads the same values wherever the stream is cut', async () => {
    const lines = fc.array(fc.jsonValue(), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(lines, fc.array(fc.nat(200)), async (values, cuts) => {
        const wanted = values.map((value) => JSON.parse(JSON.stringify(value)) as unknown);
        const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
        const borders = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const chunks = borders.slice(1).map((end, index) => bytes.subarray(borders[index], end));
        expect(await read(...chunks)).toEqual(wanted);
      }),
    );
  });
});
