import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { aChange, aWorkload } from '../../test/support/api-builders.js';
import { ApiClient } from './api-client.js';
import { followWorkloads } from './follow-workloads.js';

it('does not wait for a workload that ended and was removed before it could be seen', async () => {
  const workload = aWorkload('quick');
  const { uid } = workload.metadata;
  const server = createServer((request, response) => {
    if (request.url !== '/v1/events') {
      response.writeHead(404, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ status: 404, code: 'NOT_FOUND', detail: 'No such workload.' }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const changes = [
      aChange({ kind: 'everything', workloads: [workload] }),
      aChange({ removed: { nodes: [], workloads: [uid] } }),
    ];
    for (const change of changes) response.write(`event: change\ndata: ${JSON.stringify(change)}\n\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new ApiClient({ server: `http://127.0.0.1:${port}`, token: undefined });
  try {
    const following = followWorkloads(client, [uid], AbortSignal.timeout(5000));
    expect((await following.next()).value).toMatchObject({ metadata: { uid } });
    await expect(following.next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
