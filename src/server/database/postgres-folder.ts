import { createHash } from 'node:crypto';
import { chownSync, existsSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tmpdir } from 'node:os';
import { DatabaseError } from './database-error.js';

/** The kernel's limit for the path of a Unix socket is 108 bytes on Linux and 104 on macOS, with the closing zero. */
const SOCKET_BYTES_MAX = 103;
const SOCKET_NAME = '.s.PGSQL.5432';
export const DATABASE_USER = 'app';

/** PostgreSQL refuses root, so root runs it as somebody else: the owner of the data, or `nobody`. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}
const NOBODY: Account = { uid: 65_534, gid: 65_534 };

/** Where one embedded PostgreSQL keeps what it has. */
export class PostgresFolder {
  readonly root: string;
  readonly data: string;
  readonly log: string;

  constructor(root: string) {
    this.root = resolve(root);
    this.data = join(this.root, 'data');
    this.log = join(this.root, 'postgres.log');
  }

  /** Undefined: run it as whoever runs this process. */
  get account(): Account | undefined {
    if (process.getuid?.() !== 0) return undefined;
    const owner = existsSync(this.data) ? statSync(this.data) : undefined;
    return owner === undefined || owner.uid === 0 ? NOBODY : { uid: owner.uid, gid: owner.gid };
  }

  /** In the data directory, or, where that is too deep for a socket, in a folder with a name made from it. */
  get socketFolder(): string {
    const name = `berth-${createHash('sha256').update(this.data).digest('hex').slice(0, 16)}`;
    const candidates = [this.data, join(tmpdir(), name), join('/tmp', name)];
    const folder = candidates.find((path) => Buffer.byteLength(join(path, SOCKET_NAME)) <= SOCKET_BYTES_MAX);
    if (folder === undefined) throw new DatabaseError('no-socket', `${tmpdir()} is too long a path for a socket.`);
    return folder;
  }

  /** Answered through a socket only: whoever may enter the folder may do everything, and nobody else can. */
  get url(): string {
    return `postgres://${DATABASE_USER}@localhost/postgres?host=${encodeURIComponent(this.socketFolder)}`;
  }

  /** Makes the folder of the socket when it is not the data directory. Throws when somebody else could enter it. */
  prepareSocketFolder(): void {
    const folder = this.socketFolder;
    if (folder === this.data) return;
    const { account } = this;
    if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined && account !== undefined) {
      chownSync(folder, account.uid, account.gid);
    }
    const found = lstatSync(folder);
    if (!found.isDirectory() || found.uid !== (account?.uid ?? process.getuid?.()) || (found.mode & 0o077) !== 0) {
      throw new DatabaseError('no-socket', `${folder} is not ours alone: remove it, or choose another data directory.`);
    }
  }
}
