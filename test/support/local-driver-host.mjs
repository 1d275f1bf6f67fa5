// A server in miniature, to be killed: starts a local driver, gives it orders, says "ready", and stays.
// node local-driver-host.mjs '{"options": {…}, "orders": [{…}]}'

// Compiled, with the types of its source: a literal path would have the compiler check its own output.
const compiled = new URL('../../dist/cluster/local/local-cluster.js', import.meta.url).href;
/** @type {typeof import('../../src/cluster/local/local-cluster.js')} */
const { LocalCluster } = await import(compiled);

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
