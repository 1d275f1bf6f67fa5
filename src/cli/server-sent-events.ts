/** A bigger message is no message: a fleet of 50,000 nodes stays below this. */
const MESSAGE_CHARACTERS_MAX = 256 * 1024 * 1024;

interface ServerSentEvent {
  /** `message` when the sender names none. */
  readonly event: string;
  readonly data: string;
}

/** The messages of a `text/event-stream`, wherever its chunks were cut; comments and ids are skipped. */
export async function* readServerSentEvents(chunks: AsyncIterable<string>): AsyncGenerator<ServerSentEvent> {
  let event = 'message';
  let data: string[] = [];
  for await (const line of linesOf(chunks)) {
    if (line === '') {
      if (data.length > 0) yield { event, data: data.join('\n') };
      event = 'message';
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  /** The pieces of a line that has not ended: joined once, however many chunks a big message has. */
  let pieces: string[] = [];
  let characters = 0;
  for await (const chunk of chunks) {
    const [first = '', ...others] = chunk.split('\n');
    pieces.push(first);
    characters += first.length;
    if (characters > MESSAGE_CHARACTERS_MAX)
      throw new Error(`a message of more than ${MESSAGE_CHARACTERS_MAX} characters`);
    for (const next of others) {
      yield pieces.join('').replace(/\r$/, '');
      pieces = [next];
      characters = next.length;
    }
  }
}
