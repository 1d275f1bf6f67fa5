import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readServerSentEvents } from './server-sent-events.js';

const STREAM = [
  ': keep-alive\n\n',
  'id: 1\nevent: change\ndata: {"a": 1}\n\n',
  'data: two\r\ndata:lines\r\n\r\n',
  'event: forgotten\n\n',
  'data\n\n',
  'data: cut off',
].join('');
const EVENTS = [
  { event: 'change', data: '{"a": 1}' },
  { event: 'message', data: 'two\nlines' },
  { event: 'message', data: '' },
];

async function read(chunks: readonly string[]): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const event of readServerSentEvents(Readable.from(chunks))) events.push(event);
  return events;
}

describe(readServerSentEvents.name, () => {
  it('reads the messages of a stream, and no half one at its end', async () => {
    expect(await read([STREAM])).toEqual(EVENTS);
  });

  it('reads the same wherever the stream is cut', async () => {
    const cuts = fc.array(fc.nat({ max: STREAM.length }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const ends = [...places, STREAM.length].sort((a, b) => a - b);
        const chunks = ends.map((end, index) => STREAM.slice(ends[index - 1] ?? 0, end));
        expect(await read(chunks)).toEqual(EVENTS);
      }),
    );
  });
});
