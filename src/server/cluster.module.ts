import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Cluster, NodeFaults } from '../cluster/cluster.js';
import type { KubernetesCluster } from '../cluster/kubernetes/kubernetes-cluster.js';
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

  /** Real nodes fail by themselves: there are no faults to ask for. */
  static kubernetes(cluster: KubernetesCluster): DynamicModule {
    return { module: ClusterModule, providers: [{ provide: Cluster, useValue: cluster }], exports: [Cluster] };
  }
}
