import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where a server keeps what must survive it: the database, the pods of the local driver, its log. */
export class DataDirectory {
  private constructor(
    readonly path: string,
    private readonly life: 'kept' | 'ephemeral',
  ) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /** `path`, else `$XDG_DATA_HOME/berth`, else `~/.local/share/berth`. */
  static open(path: string | undefined, environment: NodeJS.ProcessEnv): DataDirectory {
    const data = environment['XDG_DATA_HOME'] ?? '';
    const home = data === '' ? join(homedir(), '.local', 'share') : data;
    return new DataDirectory(resolve(path ?? join(home, 'berth')), 'kept');
  }

  /** A new one, gone with `remove`. */
  static temporary(): DataDirectory {
    return new DataDirectory(mkdtempSync(join(tmpdir(), 'berth-')), 'ephemeral');
  }

  get database(): string {
    return join(this.path, 'postgres');
  }

  get pods(): string {
    return join(this.path, 'local');
  }

  get log(): string {
    return join(this.path, 'server.log');
  }

  /** The port of the last server here: its pods still report there, so its successor asks for it first. */
  get lastPort(): number | undefined {
    try {
      const port = Number(readFileSync(this.portFile, 'utf8'));
      return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
    } catch {
      return undefined; // the first start, or a file that somebody changed: any port will do
    }
  }

  rememberPort(port: number): void {
    writeFileSync(this.portFile, `${port}\n`);
  }

  /** Removes an ephemeral directory; a kept one stays. */
  remove(): void {
    if (this.life === 'ephemeral') rmSync(this.path, { recursive: true, force: true });
  }

  private get portFile(): string {
    return join(this.path, 'port');
  }
}
