import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BerthChild } from '../support/berth-child.js';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

describe('berth openapi', () => {
  let berth: BerthChild;

  beforeAll(() => {
    berth = new BerthChild();
  });

  afterAll(() => {
    berth.remove();
  });

  it('writes the document of every route, the same each time, without a database', async () => {
    const file = berth.write('openapi.json', '');
    expect(await berth.run(['openapi', '--out', file])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const written = readFileSync(file, 'utf8');
    expect((await berth.run(['openapi'])).stdout).toBe(written);

    const { paths, components } = JSON.parse(written) as OpenApi;
    expect(paths['/v1/workloads']).toMatchObject({
      post: {
        requestBody: {
          content: { 'application/json': { schema: { $ref: expect.stringMatching('WorkloadDocument') } } },
        },
      },
    });
    for (const path of [
      '/v1/workloads/{uid}/explanation',
      '/v1/queues',
      '/v1/nodes/{name}/{verb}',
      '/v1/events',
      '/healthz',
    ]) {
      expect(Object.keys(paths)).toContain(path);
    }
    expect(components.schemas['WorkloadDocument']).toHaveProperty('properties.spec.properties.podSets');
  });
});
