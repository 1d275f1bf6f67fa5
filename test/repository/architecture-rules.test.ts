import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CHECKOUT, ScratchCheckout } from '../support/scratch-checkout.js';

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

/** One violation of each rule: the file, and its one import. */
const PLANTED: Readonly<Record<string, readonly [file: string, source: string]>> = {
  'no-cycles': ['src/core/circle/one.ts', `import './two.js';`],
  'nothing-missing': ['src/server/lost.ts', `import './nowhere.js';`],
  'no-junk-rooms': ['src/server/untidy.ts', `import './utils/thing.js';`],
  'no-tests-in-production': ['src/server/borrows-a-builder.ts', `import '../../test/support/builder.js';`],
  'core-knows-its-neighbours': ['src/core/fleet/asks-server.ts', `import '../../server/feature/feature.service.js';`],
  'documents-knows-its-neighbours': ['src/documents/asks-core.ts', `import '../core/index.js';`],
  'fleet-file-knows-its-neighbours': ['src/fleet-file/asks-cluster.ts', `import '../cluster/cluster.js';`],
  'policy-file-knows-its-neighbours': ['src/policy-file/asks-cluster.ts', `import '../cluster/cluster.js';`],
  'scenario-knows-its-neighbours': ['src/scenario/asks-server.ts', `import '../server/feature/feature.service.js';`],
  'cluster-knows-its-neighbours': ['src/cluster/asks-server.ts', `import '../server/feature/feature.service.js';`],
  'server-knows-its-neighbours': ['src/server/asks-dashboard.ts', `import '../dashboard/page.js';`],
  'trainer-knows-its-neighbours': ['src/trainer/asks-core.ts', `import '../core/index.js';`],
  'dashboard-knows-its-neighbours': ['src/dashboard/asks-core.ts', `import '../core/index.js';`],
  'core-is-alone': ['src/core/fleet/reads-files.ts', `import 'node:fs';`],
  'core-areas-have-one-door': ['src/core/quota/climbs-in.ts', `import '../fleet/fleet-state.js';`],
  'core-areas-have-one-door-for-others': ['src/server/climbs-in.ts', `import '../core/fleet/fleet-state.js';`],
  'scheduler-is-the-front-door': ['src/core/quota/asks-scheduler.ts', `import '../scheduler.js';`],
  'server-sees-the-cluster-port': ['src/server/names-a-driver.ts', `import '../cluster/local/local-cluster.js';`],
  'drivers-are-strangers': ['src/cluster/kubernetes/asks-local.ts', `import '../local/local-cluster.js';`],
  'trainer-shows-its-contract': ['src/cluster/looks-inside.ts', `import '../trainer/train.js';`],
  'composition-is-on-top': ['src/server/asks-cli.ts', `import '../cli/main.js';`],
  'dashboard-imports-types-only': [
    'src/dashboard/takes-values.ts',
    `import { FeatureSchema } from '../server/feature/feature.schema.js'; console.log(FeatureSchema);`,
  ],
  'schemas-know-little': ['src/server/feature/heavy.schema.ts', `import 'typeorm';`],
  'features-keep-controllers-and-entities': [
    'src/server/other/takes-an-entity.ts',
    `import '../feature/feature.entity.js';`,
  ],
  'launcher-needs-nothing': ['src/launcher/takes-a-package.mjs', `import 'zod';`],
  'launcher-compiles-with-swc': ['src/launcher/compile-sources.mjs', `import 'zod';`],
  'launcher-is-for-nobody': ['src/server/asks-launcher.ts', `import '../launcher/launch.mjs';`],
  '@kubernetes-has-one-room': ['src/server/speaks-kubernetes.ts', `import '@kubernetes/client-node';`],
  'undici-has-one-room': ['src/server/speaks-undici.ts', `import 'undici';`],
  'bull-has-one-room': ['src/server/speaks-bull.ts', `import 'bull';`],
  'ioredis-has-one-room': ['src/server/speaks-redis.ts', `import 'ioredis';`],
  '@tensorflow-has-one-room': ['src/trainer/speaks-tensorflow.ts', `import '@tensorflow/tfjs-core';`],
  'pg-has-one-room': ['src/server/speaks-postgres.ts', `import 'pg';`],
  'echarts-has-one-room': ['src/trainer/draws.ts', `import 'echarts';`],
};

/** What the violations import, and imports that must stay allowed. */
const INNOCENT: Readonly<Record<string, string>> = {
  'test/support/builder.ts': '',
  'src/core/index.ts': `export * from './fleet/index.js'; export * from './scheduler.js';`,
  'src/core/scheduler.ts': `import './fleet/index.js'; export const scheduler = 1;`,
  'src/core/fleet/index.ts': `export * from './fleet-state.js';`,
  'src/core/fleet/fleet-state.ts': 'export const fleetState = 1;',
  'src/core/fleet/fleet-state.test.ts': `import 'fast-check'; import '../../../test/support/builder.js';`,
  'src/core/quota/quota-tree.ts': `import '../fleet/index.js';`,
  'src/core/planning/sizing.ts': `import '../scheduler.js';`,
  'src/cluster/cluster.ts': `import '../core/index.js'; import '../trainer/contract.js';`,
  'src/cluster/local/local-cluster.ts': `import '../cluster.js'; import 'node:fs';`,
  'src/server/server.module.ts': `import '../cluster/local/local-cluster.js';`,
  'src/server/feature/feature.service.ts': `import '../../core/fleet/index.js'; import './feature.entity.js';`,
  'src/server/feature/feature.schema.ts': `import 'zod'; export const FeatureSchema = 1; export type Feature = string;`,
  'src/server/feature/feature.entity.ts': `import 'typeorm';`,
  'src/server/database/data-source.ts': `import 'pg';`,
  'src/trainer/contract.ts': `import 'zod';`,
  'src/trainer/train.ts': `import './contract.js'; import '../documents/yaml-document.js';`,
  'src/trainer/backend/wasm-backend.ts': `import '@tensorflow/tfjs-core';`,
  'src/trainer/report/charts.ts': `import 'echarts';`,
  'src/documents/yaml-document.ts': `import 'yaml';`,
  'src/fleet-file/read-fleet-file.ts': `import '../core/index.js'; import '../documents/yaml-document.js';`,
  'src/policy-file/policy-file.schema.ts': `import '../core/index.js'; import 'zod';`,
  'src/scenario/run-scenario.ts': `import '../fleet-file/read-fleet-file.js'; import '../policy-file/policy-file.schema.js';`,
  'src/core/simulation/simulation.ts': `import '../scheduler.js';`,
  'src/dashboard/page.ts': `import type { Feature } from '../server/feature/feature.schema.js'; export type F = Feature;`,
  'src/cli/main.ts': `import '../trainer/train.js'; import '../server/server.module.js'; import '../cluster/local/local-cluster.js';`,
  'src/launcher/launch.mjs': `import 'node:fs';`,
};

describe('the rules of who may import whom', () => {
  const checkout = new ScratchCheckout();
  let violations: readonly Violation[] = [];

  beforeAll(async () => {
    checkout
      .copy('.dependency-cruiser.cjs', 'tsconfig.json', 'package.json')
      .linkNodeModules()
      .write({ ...INNOCENT, ...Object.fromEntries(Object.values(PLANTED)) })
      .write({ 'src/core/circle/two.ts': `import './one.js';`, 'src/server/utils/thing.ts': '' });
    const cruise = join(CHECKOUT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
    const { stdout } = await checkout.run([cruise, '--config', '.dependency-cruiser.cjs', '-T', 'json', 'src', 'test']);
    const report = JSON.parse(stdout) as { readonly summary: { readonly violations: readonly Violation[] } };
    violations = report.summary.violations;
  });
  afterAll(() => {
    checkout.remove();
  });

  it('are all planted here', () => {
    const load = createRequire(import.meta.url);
    const { forbidden } = load(join(CHECKOUT, '.dependency-cruiser.cjs')) as { forbidden: { name: string }[] };
    expect(Object.keys(PLANTED).sort()).toEqual(forbidden.map(({ name }) => name).sort());
  });

  it.each(Object.entries(PLANTED))('%s is found when broken', (rule, [file]) => {
    expect(violations.filter(({ from }) => from === file).map((violation) => violation.rule.name)).toContain(rule);
  });

  it.each(Object.keys(INNOCENT))('leave %s alone', (file) => {
    expect(violations.filter(({ from }) => from === file)).toEqual([]);
  });
});
