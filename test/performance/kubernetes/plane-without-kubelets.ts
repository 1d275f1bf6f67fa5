import { ControlPlane } from '../../kubernetes/rig/control-plane.js';
import { createNodes, fakeNodes } from '../../kubernetes/rig/fake-nodes.js';
import { CONTROLLERS } from '../../kubernetes/rig/programs.js';

const NODES_PER_RACK = 20;
/** Longer than a benchmark: nodes would fall silent else. */
const NODE_LEASE_SECONDS = 400;

/** Nodes that were ready once: nobody plays kubelet, so that only schedulers work. */
export async function planeWithoutKubelets(nodes: number): Promise<ControlPlane> {
  const quick = ['--kube-api-qps', '5000', '--kube-api-burst', '10000'];
  const plane = await ControlPlane.start({
    clients: ['kube-controller-manager', 'kwok'],
    controllers: CONTROLLERS.filter(
      (name) => !['node-lifecycle-controller', 'taint-eviction-controller'].includes(name),
    ),
    nodeLeaseSeconds: NODE_LEASE_SECONDS,
    flags: {
      'kube-scheduler': quick,
      'kube-apiserver': [
        ...['--max-requests-inflight', '2000', '--max-mutating-requests-inflight', '1000'],
        // Else new nodes wait for a control loop that does not run here.
        ...['--disable-admission-plugins', 'TaintNodesByCondition'],
      ],
    },
  });
  try {
    const racks = Math.ceil(nodes / NODES_PER_RACK);
    await createNodes(plane.api, fakeNodes({ racks, nodesPerRack: NODES_PER_RACK }).slice(0, nodes));
    await plane.kill('kwok');
    return plane;
  } catch (error) {
    await plane.stop();
    throw error;
  }
}
