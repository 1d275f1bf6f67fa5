import { describe, expect, it } from '@jest/globals';
import { DEFAULT_POLICY } from '../core/index.js';
import { PolicyFileSchema, policyOf } from './policy-file.schema.js';

const levels = ['zone', 'host'];

describe(policyOf.name, () => {
  it('is the default with the levels of the fleet when there is no file', () => {
    expect(policyOf(undefined, levels)).toEqual({ ...DEFAULT_POLICY, topologyLevels: levels });
  });

  it('is the default, too, where a file says nothing but its version', () => {
    const policy = policyOf(PolicyFileSchema.parse({ version: 'v2' }), levels);
    expect(policy).toEqual({ ...DEFAULT_POLICY, version: 'v2', topologyLevels: levels });
  });

  it('takes seconds, and leaves beside a key that is set the defaults of the others', () => {
    const file = { version: 'v3', order: 'srtf', preemption: { minRuntime: 1.5, brake: { evictions: 3 } } };
    expect(policyOf(PolicyFileSchema.parse(file), levels)).toMatchObject({
      order: 'srtf',
      preemption: { minRuntimeMs: 1500, brake: { evictions: 3, windowMs: DEFAULT_POLICY.preemption.brake.windowMs } },
      backfill: DEFAULT_POLICY.backfill,
    });
  });
});

const refused: Record<string, unknown> = {
  'without a version': {},
  'with an unknown key': { version: 'v', preemption: { minimumRuntime: 1 } },
  'with a half-life that is no whole hours': { version: 'v', fairness: { halfLife: 5000 } },
  'with an order that does not exist': { version: 'v', order: 'lifo' },
};

describe('a policy file', () => {
  it.each(Object.entries(refused))('is refused %s', (_title, file) => {
    expect(PolicyFileSchema.safeParse(file).success).toBe(false);
  });

  it.each([
    ['fairness', { halfLife: 5000 }, 'is 5000, but must be whole hours in seconds, e.g. 3600'],
    ['backfill', { resolution: 0 }, 'is 0, but must be more than 0, e.g. 1'],
  ])('has times in seconds, in its mistakes too: %s', (key, times, want) => {
    const result = PolicyFileSchema.safeParse({ version: 'v', [key]: times });
    expect(result.error?.issues.map(({ message }) => message)).toEqual([want]);
  });
});
