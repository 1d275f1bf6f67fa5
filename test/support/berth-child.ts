import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT, runNode, type Ended } from './scratch-checkout.js';

const MAIN = join(CHECKOUT, 'dist', 'cli', 'main.js');

/** Runs the compiled `berth` in a folder of its own, which knows no server and has no configuration. */
export class BerthChild {
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-cli-'));

  constructor() {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run "npm run build"`);
  }

  write(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, text);
    return file;
  }

  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const alone = {
      BERTH_CONFIG: join(this.folder, 'config.yaml'),
      BERTH_SERVER: '',
      BERTH_TOKEN: '',
      BERTH_DEBUG: '',
    };
    return runNode([MAIN, ...args], { cwd: this.folder, env: { ...alone, ...env } });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
