/** An answer larger than anybody expects: it is refused before it fills the memory. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/** The whole body as text; throws {@link TooLargeError} beyond `bytesMax`. */
export async function readText(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new TooLargeError(`the answer is larger than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString('utf8');
}
