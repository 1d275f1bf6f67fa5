import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BerthFeasibility } from './feasibility/berth-feasibility.js';
import { NODE_NAMES } from './feasibility/cluster.js';
import { askKubeScheduler, createCluster, storedCluster } from './feasibility/kube-feasibility.js';
import { TABLE } from './feasibility/table.js';
import { ControlPlane } from './rig/control-plane.js';
import { describeWithRig } from './rig/describe-with-rig.js';

/**
 * A pod may run, says Berth, exactly where kube-scheduler would let it run, on the same API server; where Berth cannot
 * honour a field it says so and lets the pod run nowhere.
 */
describeWithRig('where pods may run, by Berth and by kube-scheduler', () => {
  let plane: ControlPlane;
  let berth: BerthFeasibility;

  beforeAll(async () => {
    plane = await ControlPlane.start({ clients: ['kube-controller-manager', 'kwok', 'kube-scheduler'] });
    await createCluster(plane.api);
    berth = new BerthFeasibility(await storedCluster(plane.api));
  });
  afterAll(async () => {
    await plane.stop();
  });

  it.each(TABLE)('%s', async (_title, row) => {
    const { allowed, stored } = await askKubeScheduler(plane.api, row);
    const ours = NODE_NAMES.filter((node) => {
      const pod = stored.get(node);
      return pod !== undefined && berth.allows(pod, node);
    });
    expect({ kubeScheduler: allowed, berth: ours }).toEqual({
      kubeScheduler: row.want,
      berth: row.refused === undefined ? row.want : [],
    });
  });
});
