import { Inject, Injectable, Optional } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Cluster, type LogOptions } from '../../cluster/cluster.js';
import type { Workload } from './workload.schema.js';

export type LogsOutcome =
  | { readonly kind: 'logs'; readonly chunks: AsyncIterable<string> }
  | { readonly kind: 'no-pod-yet' }
  | { readonly kind: 'pod-not-found'; readonly pods: readonly string[] };

/** The output of a pod: through the driver while it has the pod, its kept tail from the ledger afterwards. */
@Injectable()
export class PodLogs {
  constructor(
    @InjectDataSource() private readonly database: DataSource,
    @Optional() @Inject(Cluster) private readonly cluster: Cluster | undefined,
  ) {}

  /** Without `pod`: that of rank 0 of the newest incarnation. */
  open(workload: Workload, pod: string | undefined, options: LogOptions): LogsOutcome {
    const { pods } = workload.status;
    const chosen = pod === undefined ? pods.find(({ rank }) => rank === 0) : pods.find(({ name }) => name === pod);
    if (chosen !== undefined) return { kind: 'logs', chunks: this.read(chosen.name, options) };
    return pod === undefined ? { kind: 'no-pod-yet' } : { kind: 'pod-not-found', pods: pods.map(({ name }) => name) };
  }

  private async *read(pod: string, options: LogOptions): AsyncGenerator<string> {
    let found = false;
    if (this.cluster !== undefined) {
      for await (const chunk of this.cluster.readLogs(pod, options)) {
        found = true;
        yield chunk;
      }
    }
    if (found) return;
    const rows: { log_tail: string | null }[] = await this.database.query('SELECT log_tail FROM pods WHERE name = $1', [
      pod,
    ]);
    yield rows[0]?.log_tail ?? '';
  }
}
