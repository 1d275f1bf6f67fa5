import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The kernel's limit for the path of a Unix socket is 108 bytes on Linux and 104 on macOS, with the closing zero. */
const SOCKET_BYTES_MAX = 103;

/** Where the local driver keeps what it knows, below one folder of mode 0700. */
export class LocalPaths {
  readonly root: string;
  readonly pods: string;
  readonly fences: string;
  readonly nodesFile: string;
  /** Below the root, or, where that is too deep for a socket, in a folder of its own with a name made from the root. */
  readonly socket: string;

  constructor(root: string) {
    this.root = resolve(root);
    this.pods = join(this.root, 'pods');
    this.fences = join(this.root, 'fences');
    this.nodesFile = join(this.root, 'nodes.json');
    const socket = join(this.root, 'driver.sock');
    const short = join(
      tmpdir(),
      `berth-${createHash('sha256').update(this.root).digest('hex').slice(0, 16)}`,
      'driver.sock',
    );
    this.socket = Buffer.byteLength(socket) <= SOCKET_BYTES_MAX ? socket : short;
  }

  pod(name: string): string {
    return join(this.pods, name);
  }

  /** Kept across incarnations and shared by the pods of the workload. */
  workload(team: string, id: string): string {
    return join(this.root, 'workloads', team, id);
  }

  fence(workload: string): string {
    return join(this.fences, workload);
  }
}
