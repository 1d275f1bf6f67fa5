import { HOST, OPEN, OTHER_NAMESPACE, ZONE } from './cluster.js';
import type { Rows } from './row.js';
import { app, avoids, joins, label, mounts, near, port, spreads, where } from './row.js';

const except = (...names: readonly string[]): readonly string[] => OPEN.filter((name) => !names.includes(name));
const IN_A_ZONE = except('d1');

export const HOST_PORTS: Rows = {
  'a port that is taken on one node': { spec: { containers: [port(8080)] }, want: except('a1') },
  'the same port of another protocol': { spec: { containers: [port(8080, { protocol: 'UDP' })] }, want: OPEN },
  'a port of one address': { spec: { containers: [port(9000, { hostIP: '10.0.0.2' })] }, want: OPEN },
  'a port of the address that is taken': {
    spec: { containers: [port(9000, { hostIP: '10.0.0.1' })] },
    want: except('b2'),
  },
  'a port of all addresses': { spec: { containers: [port(9000)] }, want: except('b2') },
  'a port of all addresses by name': {
    spec: { containers: [port(9000, { hostIP: '0.0.0.0' })] },
    want: except('b2'),
  },
  'a port that a sidecar holds': { spec: { containers: [port(53, { protocol: 'UDP' })] }, want: except('c2') },
  'a port of its own sidecar': {
    spec: { initContainers: [{ ...port(8080), name: 'side', restartPolicy: 'Always' }] },
    want: except('a1'),
  },
  'a port of an init container is free again': {
    spec: { initContainers: [{ ...port(8080), name: 'first' }] },
    want: OPEN,
  },
  'the network of the host': { spec: { hostNetwork: true, containers: [port(8080)] }, want: except('a1') },
};

export const POD_AFFINITY: Rows = {
  'on a node with others': { spec: joins(near(HOST, app('web'))), want: ['a1', 'a2', 'b2'] },
  'in a zone with others': { spec: joins(near(ZONE, app('web'))), want: ['a1', 'a2', 'a3', 'b2'] },
  'with nobody there': { spec: joins(near(ZONE, app('nobody'))), want: [] },
  'the first of those that stand together': {
    labels: { app: 'fresh' },
    spec: joins(near(ZONE, app('fresh'))),
    want: IN_A_ZONE,
    seesItself: true,
  },
  'the first of those that stand together is not the first by one of its rules': {
    labels: { app: 'fresh' },
    spec: joins(near(ZONE, app('fresh')), near(ZONE, app('nobody'))),
    want: [],
    seesItself: true,
  },
  'with one pod that fits two rules': {
    spec: joins(near(HOST, app('web')), near(ZONE, { matchLabels: { version: '2' } })),
    want: ['b2'],
  },
  'two rules that different pods fit': { spec: joins(near(HOST, app('web')), near(HOST, app('db'))), want: [] },
  'with pods of another namespace': {
    spec: joins({ ...near(HOST, app('db')), namespaces: [OTHER_NAMESPACE] }),
    want: ['b2'],
  },
  'with pods of its own namespace only': { spec: joins(near(HOST, app('db'))), want: ['a2'] },
  'by a rule without a selector': { spec: joins(near(HOST)), want: [] },
  'by a selector that is empty': {
    spec: joins(near(HOST, {})),
    want: ['a1', 'a2', 'b2', 'c2', 'd1'],
    seesItself: true,
  },
  'by expressions': {
    spec: joins(
      near(HOST, {
        matchExpressions: [
          { key: 'app', operator: 'In', values: ['web', 'db'] },
          { key: 'version', operator: 'Exists' },
          { key: 'version', operator: 'NotIn', values: ['1'] },
        ],
      }),
    ),
    want: ['b2'],
  },
  'away from others': { spec: avoids(near(HOST, app('web'))), want: ['a3', 'c2', 'c3', 'd1'] },
  'in another zone, or in none': { spec: avoids(near(ZONE, app('web'))), want: ['c2', 'c3', 'd1'] },
  'away from everybody': { spec: avoids(near(ZONE, {})), want: ['d1'], seesItself: true },
  'away from itself': {
    labels: { app: 'apart' },
    spec: avoids(near(ZONE, app('apart'))),
    want: OPEN,
    seesItself: true,
  },
  'who stands keeps it out of the zone': { labels: { app: 'guest' }, want: except('c2', 'c3') },
  'who stands keeps it from the node': { labels: { app: 'hermit' }, want: except('d1') },
  'namespaces by their labels': {
    spec: avoids({ ...near(HOST, app('db')), namespaceSelector: {} }),
    want: except('a2', 'b2'),
    refused: 'spec.affinity.podAntiAffinity.required[0].namespaceSelector',
  },
  'with its own version': {
    labels: { version: '2' },
    spec: joins({ ...near(HOST, app('web')), matchLabelKeys: ['version'] }),
    want: ['b2'],
    onlyAsStored: true,
  },
  'with any version but its own': {
    labels: { version: '2' },
    spec: joins({ ...near(HOST, app('web')), mismatchLabelKeys: ['version'] }),
    want: ['a1', 'a2'],
    onlyAsStored: true,
  },
  'preferences keep it from no node': {
    spec: {
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 100, podAffinityTerm: near(ZONE, app('nobody')) },
          ],
        },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: near(ZONE, app('web')) }],
        },
      },
    },
    want: OPEN,
  },
};

/** Two pods are `even` in z1, one in z2, none in the others; one is `flat` in each of z1, z2 and z3. */
const even = { labels: { app: 'even' }, pinnedBy: 'taint', seesItself: true } as const;
const flat = { labels: { app: 'flat' }, seesItself: true } as const;
const evenly = { labelSelector: app('even') };

export const SPREAD: Rows = {
  'one more than the emptiest zone': { ...even, spec: spreads(evenly), want: ['c2', 'c3'] },
  'two more than the emptiest zone': { ...even, spec: spreads({ ...evenly, maxSkew: 2 }), want: ['b2', 'c2', 'c3'] },
  'a pod that is not counted itself': { pinnedBy: 'taint', spec: spreads(evenly), want: ['b2', 'c2', 'c3'] },
  'over nodes': { ...even, spec: spreads({ ...evenly, topologyKey: HOST }), want: ['a3', 'c2', 'c3', 'd1'] },
  'only nodes that its affinity allows have a say': {
    ...even,
    spec: { ...spreads(evenly), ...where(label('disk', 'Exists')) },
    want: ['a1', 'a2', 'a3'],
  },
  'only nodes that its selector allows have a say': {
    ...even,
    spec: { ...spreads(evenly), nodeSelector: { disk: 'ssd' } },
    want: ['a1', 'a3'],
  },
  'all nodes have a say': {
    ...even,
    spec: { ...spreads({ ...evenly, nodeAffinityPolicy: 'Ignore' }), ...where(label('disk', 'Exists')) },
    want: [],
  },
  'as many zones as are asked for': {
    ...even,
    spec: { ...spreads({ ...evenly, minDomains: 2 }), ...where(label(ZONE, 'In', 'z1', 'z2')) },
    want: ['b2'],
  },
  'fewer zones than are asked for': {
    ...even,
    spec: { ...spreads({ ...evenly, minDomains: 3 }), ...where(label(ZONE, 'In', 'z1', 'z2')) },
    want: [],
  },
  'a zone of nodes that it may not use counts as empty': {
    ...flat,
    spec: spreads({ labelSelector: app('flat'), nodeAffinityPolicy: 'Ignore' }),
    want: [],
  },
  'only nodes whose taints it tolerates have a say': {
    ...flat,
    spec: spreads({ labelSelector: app('flat'), nodeAffinityPolicy: 'Ignore', nodeTaintsPolicy: 'Honor' }),
    want: IN_A_ZONE,
  },
  'both of two constraints': {
    ...even,
    spec: spreads({ ...evenly, maxSkew: 2 }, { ...evenly, topologyKey: HOST }),
    want: ['c2', 'c3'],
  },
  'only with pods of its own version': {
    ...even,
    labels: { app: 'even', version: '9' },
    spec: spreads({ ...evenly, matchLabelKeys: ['version'] }),
    want: IN_A_ZONE,
  },
  'a selector that is empty counts nobody': {
    ...even,
    spec: spreads({ labelSelector: {} }),
    want: IN_A_ZONE,
  },
  'no selector counts nobody': { ...even, spec: spreads({}), want: IN_A_ZONE },
  'a wish keeps it from no node': {
    ...even,
    spec: spreads({ ...evenly, whenUnsatisfiable: 'ScheduleAnyway' }),
    want: OPEN,
  },
};

const CLAIM = 'spec.volumes[0].persistentVolumeClaim';

export const VOLUMES: Rows = {
  'a volume of one zone': { spec: mounts('in-z1'), want: ['a1', 'a2', 'a3'] },
  'a volume of one node': { spec: mounts('on-a3'), want: ['a3'] },
  'a volume with labels of two zones, which a node without a zone reaches': {
    spec: mounts('labelled'),
    want: ['b2', 'c2', 'c3', 'd1'],
  },
  'two volumes': { spec: mounts('in-z1', 'on-a3'), want: ['a3'] },
  'two volumes that no node reaches': { spec: mounts('labelled', 'on-a3'), want: [] },
  'a volume that is anywhere': { spec: mounts('anywhere'), want: OPEN },
  'a claim that is not there': { spec: mounts('missing'), want: [], refused: CLAIM },
  'a claim that is not bound': { spec: mounts('unbound'), want: [], refused: CLAIM },
  'a claim for one pod that another uses': { spec: mounts('one-pod'), want: [], refused: CLAIM },
};

export const OTHERS: Rows = {
  'a gate that is closed': { spec: { schedulingGates: [{ name: 'oracle.berth.dev/gate' }] }, want: [] },
  'a claim of devices': {
    spec: { resourceClaims: [{ name: 'device', resourceClaimTemplateName: 'no-devices' }] },
    want: OPEN,
    refused: 'spec.resourceClaims',
  },
};
