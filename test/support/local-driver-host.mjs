// A server in miniature, to be killed: starts a local driver, gives it orders, says "ready", and stays.
// node local-driver-host.mjs '{"options": {…}, "orders": [{…}]}'
import { LocalCluster } from '../../dist/cluster/local/local-cluster.js';

/** @type {{ options: import('../../src/cluster/local/local-cluster.js').LocalClusterOptions, orders: import('../../src/cluster/cluster.js').PodOrder[] }} */
const { options, orders } = JSON.parse(process.argv[2] ?? '{}');
const cluster = new LocalCluster(options);
let started = 0;
/** @param {import('../../src/cluster/cluster.js').Observation} observation */
const count = (observation) => {
  if (observation.kind === 'pod-started') started += 1;
  if (started === orders.length) process.stdout.write('ready\n');
};
await cluster.start(count);
for (const order of orders) await cluster.createPod(order);
