/** A line that is no JSON, or longer than any object: what it said is lost. */
export class MalformedLineError extends Error {
  override readonly name = 'MalformedLineError';
}

/** etcd takes 1.5 MiB; an event carries one object, written as JSON. */
export const LINE_BYTES_MAX = 16 * 1024 * 1024;
const LINE_FEED = 0x0a;

/**
 * The JSON values of a stream with one on each line, whatever the borders of its chunks. Lines are cut as bytes and
 * decoded whole, so a character split between two chunks stays one. A last line without its end was cut off, and is
 * dropped: whoever reads on asks for it again.
 */
export async function* readJsonLines(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax = LINE_BYTES_MAX,
): AsyncGenerator<unknown, void, undefined> {
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      begun.push(chunk.subarray(from, end));
      from = end + 1;
      const line = Buffer.concat(begun).toString('utf8');
      begun = [];
      begunBytes = 0;
      if (line.trim() !== '') yield parseLine(line);
    }
    if (from === chunk.length) continue;
    begun.push(chunk.subarray(from));
    begunBytes += chunk.length - from;
    if (begunBytes > lineBytesMax) throw new MalformedLineError(`a line is longer than ${lineBytesMax} bytes`);
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    throw new MalformedLineError(`a line is no JSON: ${line.slice(0, 100)}`, { cause: error });
  }
}
