import { createServer, type Server, type Socket } from 'node:net';
import { rmSync } from 'node:fs';

/**
 * The line between driver and shims: a Unix socket that carries one word at a time. What matters is on disk; a word
 * only says "look". A closed line says that the other side has died, which the kernel reports at once.
 *
 *     shim → driver   `hello NAME`, then `look` when its status has changed
 *     driver → shim   `welcome` (adopted), `unknown` (no such pod: end it), `look` when there is a stop order
 */
export interface ShimListener {
  /** A shim says hello. `unknown`: it ends its pod. */
  onHello(name: string): 'welcome' | 'unknown';
  onLook(name: string): void;
  /** Its line is closed: it has ended, or was killed. */
  onLost(name: string): void;
}

const WORD_BYTES_MAX = 1024;

/** Splits what arrives into lines; a peer that sends a longer one is cut off. */
export function readWords(socket: Socket, onWord: (word: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const words = (rest + chunk).split('\n');
    rest = words.pop() ?? '';
    if (rest.length > WORD_BYTES_MAX) socket.destroy();
    for (const word of words) onWord(word);
  });
}

export class ShimLine {
  private readonly sockets = new Map<string, Socket>();
  private readonly all = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly listener: ShimListener,
  ) {
    server.on('connection', (socket) => {
      this.accept(socket);
    });
  }

  /** Listens at `path`, which is the caller's alone: what lies there was left by a process that died. */
  static async listen(path: string, listener: ShimListener): Promise<ShimLine> {
    rmSync(path, { force: true });
    const server = createServer();
    const line = new ShimLine(server, listener);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return line;
  }

  isConnected(name: string): boolean {
    return this.sockets.has(name);
  }

  poke(name: string): void {
    this.sockets.get(name)?.write('look\n');
  }

  async close(): Promise<void> {
    for (const socket of this.all) socket.destroy();
    await new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
    });
  }

  private accept(socket: Socket): void {
    let name: string | undefined;
    this.all.add(socket);
    socket.on('error', () => socket.destroy()); // followed by 'close', which is handled
    socket.on('close', () => {
      this.all.delete(socket);
      if (name === undefined || this.sockets.get(name) !== socket) return;
      this.sockets.delete(name);
      this.listener.onLost(name);
    });
    readWords(socket, (word) => {
      if (word.startsWith('hello ')) name = this.welcome(word.slice('hello '.length), socket);
      else if (word === 'look' && name !== undefined) this.listener.onLook(name);
    });
  }

  private welcome(name: string, socket: Socket): string | undefined {
    const answer = this.listener.onHello(name);
    if (answer === 'unknown') {
      socket.end('unknown\n');
      return undefined;
    }
    this.sockets.set(name, socket);
    socket.write('welcome\n');
    return name;
  }
}
