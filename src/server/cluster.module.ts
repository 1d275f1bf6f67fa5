import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Cluster, NodeFaults } from '../cluster/cluster.js';
import type { LocalCluster } from '../cluster/local/local-cluster.js';

/** Names the driver; everything else asks for the port. */
@Global()
@Module({})
export class ClusterModule {
  static local(cluster: LocalCluster): DynamicModule {
    return {
      module: ClusterModule,
      providers: [
        { provide: Cluster, useValue: cluster },
        { provide: NodeFaults, useValue: cluster },
      ],
      exports: [Cluster, NodeFaults],
    };
  }
}
