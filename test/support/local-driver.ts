import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCluster, type LocalClusterOptions } from '../../src/cluster/local/local-cluster.js';
import type { ClusterHarness } from './cluster-contract.js';
import { until } from './observation-log.js';
import { aNode } from './pod-orders.js';
import { CHECKOUT } from './scratch-checkout.js';

/** Compiled, because each pod's shim is a Node process of its own. */
export const SHIM_FILE = join(CHECKOUT, 'dist', 'cluster', 'local', 'pod-shim.js');

/** Local drivers in one folder of their own, and the certainty that nothing of them is left at the end. */
export class LocalDriverHarness implements ClusterHarness {
  readonly directory: string;
  private readonly drivers: LocalCluster[] = [];

  constructor(private readonly options: Partial<LocalClusterOptions> = {}) {
    if (!existsSync(SHIM_FILE)) throw new Error(`${SHIM_FILE} is missing: run "npm run build"`);
    this.directory = options.directory ?? mkdtempSync(join(tmpdir(), 'berth-local-'));
  }

  create(options: Partial<LocalClusterOptions> = {}): LocalCluster {
    const driver = new LocalCluster({
      nodes: [aNode('node-a'), aNode('node-b')],
      shimFile: SHIM_FILE,
      ...this.options,
      ...options,
      directory: this.directory,
    });
    this.drivers.push(driver);
    return driver;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.drivers.map((driver) => driver.stop('end')));
    // Pods that a killed server left behind: a new driver finds them on disk.
    const last = this.create();
    await last.open();
    await last.stop('end');
    const left = (): readonly string[] => processesOf(this.directory);
    await until('the end of all processes', () => left().length === 0, { state: left });
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Programs and shims that run for this folder; Linux only, elsewhere none are found. */
export function processesOf(directory: string): readonly string[] {
  return numbersIn('/proc')
    .filter((pid) => pid !== process.pid)
    .filter((pid) => [read(pid, 'environ'), read(pid, 'cmdline')].some((text) => text.includes(`${directory}/`)))
    .map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ')}`);
}

function numbersIn(folder: string): readonly number[] {
  return existsSync(folder) ? readdirSync(folder).map(Number).filter(Number.isSafeInteger) : [];
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
