const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * Says on standard error what is going on while `work` runs: a spinner with the seconds on a terminal, one line where
 * there is none. Standard output stays free for the command's own answer.
 * @template T
 * @param {{ readonly doing: string, readonly done: string, readonly hint?: string }} text
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withProgress({ doing, done, hint }, work) {
  const startedMs = Date.now();
  const seconds = () => Math.round((Date.now() - startedMs) / 1000);
  const start = hint === undefined ? doing : `${doing} (${hint})`;
  const terminal = process.stderr.isTTY;
  let frame = 0;
  const draw = () => process.stderr.write(`\r\x1b[K${FRAMES[frame++ % FRAMES.length] ?? ''} ${start} … ${seconds()} s`);
  const timer = terminal ? setInterval(draw, 100) : undefined;
  if (terminal) draw();
  else process.stderr.write(`berth: ${start}\n`);
  try {
    const result = await work();
    process.stderr.write(`${terminal ? '\r\x1b[K' : 'berth: '}${done} in ${seconds()} s\n`);
    return result;
  } catch (error) {
    if (terminal) process.stderr.write('\r\x1b[K');
    throw error;
  } finally {
    clearInterval(timer);
  }
}
