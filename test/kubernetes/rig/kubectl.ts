import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { binariesFolder } from './binaries.mjs';

const TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface KubectlOptions {
  /** For `-f -`. */
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** The real kubectl, as the user of one kubeconfig. */
export class Kubectl {
  constructor(private readonly kubeconfig: string) {}

  /** What it printed; an exit code other than 0 is an error with what it said. */
  run(args: readonly string[], { input, timeoutMs = TIMEOUT_MS }: KubectlOptions = {}): Promise<string> {
    // Its cache of what the server offers belongs to the rig too.
    const env = { PATH: process.env['PATH'], HOME: dirname(this.kubeconfig), KUBECONFIG: this.kubeconfig };
    return new Promise((resolve, reject) => {
      const options = { env, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: OUTPUT_BYTES_MAX } as const;
      const child = execFile(join(binariesFolder(), 'kubectl'), args, options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`kubectl ${args.join(' ')}: ${stderr.trim() || error.message}`));
      });
      child.stdin?.end(input);
    });
  }

  async json<T>(args: readonly string[], options: KubectlOptions = {}): Promise<T> {
    return JSON.parse(await this.run([...args, '-o', 'json'], options)) as T;
  }
}
