import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { aPod } from '../support/kube-pods.js';
import { CHECKOUT } from '../support/scratch-checkout.js';
import { BerthFeasibility } from './feasibility/berth-feasibility.js';
import { CLAIMS, NAMESPACE, NODE_NAMES, NODES, STANDING, VOLUMES } from './feasibility/cluster.js';
import { pinnedSpec } from './feasibility/pinned-pod.js';
import { TABLE } from './feasibility/table.js';

/** The same table that `feasibility-oracle.test.ts` puts to kube-scheduler. */
describe('where Berth lets pods of Kubernetes run', () => {
  const berth = new BerthFeasibility({ nodes: NODES, standing: STANDING, claims: CLAIMS, volumes: VOLUMES });

  it.each(TABLE.filter(([, { onlyAsStored }]) => onlyAsStored !== true))('%s', (_title, row) => {
    const podFor = (node: string) => {
      const metadata = { name: 'asked', namespace: NAMESPACE, labels: row.labels ?? {} };
      return aPod({ metadata, spec: pinnedSpec(row, node) });
    };
    const { unsupported } = berth.read(podFor('a1'));
    expect(unsupported.map(({ field }) => field)).toEqual(row.refused === undefined ? [] : [row.refused]);
    const want = row.refused === undefined ? row.want : [];
    expect(NODE_NAMES.filter((node) => berth.allows(podFor(node), node))).toEqual(want);
  });

  it('is documented as far as fields are refused, with the size of the table', () => {
    const page = readFileSync(join(CHECKOUT, 'docs', 'reference', 'kubernetes-pods.md'), 'utf8');
    const fields = TABLE.flatMap(([, { refused }]) => (refused === undefined ? [] : [refused]));
    for (const field of fields) expect(page).toContain(field.replaceAll(/\[[^\]]*\]/g, '[…]'));
    expect(page).toContain(
      `${TABLE.length} pods, each is asked of both schedulers for each of ${NODE_NAMES.length} nodes`,
    );
  });
});
