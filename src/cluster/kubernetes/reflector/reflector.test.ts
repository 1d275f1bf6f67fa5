import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aPodObject } from '../../../../test/support/kube-objects.js';
import { ManualTimers } from '../../../../test/support/manual-timers.js';
import { ScriptedApiServer, type Exchange } from '../../../../test/support/scripted-api-server.js';
import { ApiServer } from '../api/api-server.js';
import { Connection } from '../api/connection.js';
import type { Change } from './reflected-store.js';
import { Reflector, type ReflectorTrouble } from './reflector.js';
import { resourcePath } from '../api/resource-path.js';

const PATH = resourcePath({ group: '', version: 'v1', plural: 'pods' });

let server: ScriptedApiServer;
let timers: ManualTimers;
let connection: Connection;
let reflector: Reflector<string>;
/** What the handler heard, and what was reported, in few words: `+team/a@1`, `watch-failed`. */
let heard: string[];
let troubles: ReflectorTrouble[];

beforeEach(async () => {
  server = await ScriptedApiServer.start();
  timers = new ManualTimers();
  heard = [];
  troubles = [];
  const credentials = () => Promise.resolve({ tls: {}, headers: {} });
  const access = { server: server.url, origin: 'a test', namespace: undefined, credentials };
  connection = await Connection.open(access, { timers, connectionsMax: 8, report: () => undefined });
  reflector = new Reflector({
    api: new ApiServer({ connection, timers, random: () => 0.5 }),
    path: PATH,
    project: ({ metadata }) => {
      if (metadata.name === 'unreadable') throw new Error('no such field');
      return metadata.resourceVersion;
    },
    report: (trouble) => troubles.push(trouble),
    timers,
    random: () => 0.5,
    limits: { pageSize: 2 },
  });
  reflector.onChange((change) => heard.push(inWords(change)));
});
afterEach(async () => {
  await reflector.stop();
  await connection.close();
  await server.stop();
  expect(timers.alarmsSet).toBe(0);
});

function inWords(change: Change<string>): string {
  const sign = { added: '+', changed: '~', deleted: '-' }[change.kind];
  return `${sign}${change.key}@${change.object}`;
}

/** Starts, answers the first list with these pods at version 10, and gives the watch that follows. */
async function watching(...pods: readonly object[]): Promise<Exchange> {
  const starting = reflector.start();
  (await server.next()).list('10', pods);
  await starting;
  heard.length = 0;
  return server.next();
}

/** Until the handler has heard this much: events come over a real socket. */
async function hearing(changes: number): Promise<string[]> {
  while (heard.length < changes) await new Promise((resolve) => setImmediate(resolve));
  return heard;
}

function troubleKinds(): string[] {
  return troubles.map(({ what }) => what);
}

describe('the list of a reflector', () => {
  it('comes page by page, is told as a whole, and then the start is over', async () => {
    const starting = reflector.start();
    const first = await server.next();
    expect(first.query).toEqual({ limit: '2' });
    first.list('10', [aPodObject('a', 1), aPodObject('b', 2)], 'more');
    const second = await server.next();
    expect(second.query).toEqual({ limit: '2', continue: 'more' });
    expect(heard).toEqual([]);
    second.list('10', [aPodObject('c', 3)]);
    await starting;
    expect(heard).toEqual(['+team/a@1', '+team/b@2', '+team/c@3']);
    expect([...reflector.entries()].map(([, version]) => version)).toEqual(['1', '2', '3']);
    expect(reflector.get('team/b')).toBe('2');
  });

  it('begins anew, without a version, when a page is too old', async () => {
    const starting = reflector.start();
    (await server.next()).list('10', [aPodObject('a', 1)], 'more');
    (await server.next()).refuse(410, 'Expired');
    const again = await server.next();
    expect(again.query).toEqual({ limit: '2' });
    again.list('20', [aPodObject('b', 12)]);
    await starting;
    expect(heard).toEqual(['+team/b@12']);
    expect(timers.pauses).toEqual([]);
  });

  it('is tried again for ever, with pauses that grow up to a limit', async () => {
    const starting = reflector.start();
    for (let tries = 0; tries < 7; tries += 1) (await server.next()).refuse(500, 'InternalError');
    (await server.next()).list('10', []);
    await starting;
    expect(timers.pauses).toEqual([187.5, 375, 750, 1500, 3000, 3750, 3750]);
    expect(troubleKinds()).toEqual(Array.from({ length: 7 }, () => 'list-failed'));
  });

  it.each([
    ['403 while the server is starting', 403, 'Forbidden'],
    ['401 while a token is being changed', 401, 'Unauthorized'],
    ['404 while the kind is not served yet', 404, 'NotFound'],
    ['503 while the server is stopping', 503, 'ServiceUnavailable'],
  ])('goes on after a %s', async (_title, code, reason) => {
    const starting = reflector.start();
    const tries = code === 401 ? 2 : 1; // the call itself tries a 401 once more
    for (let refused = 0; refused < tries; refused += 1) (await server.next()).refuse(code, reason);
    (await server.next()).list('10', [aPodObject('a', 1)]);
    await starting;
    expect(heard).toEqual(['+team/a@1']);
  });

  it('gives up a page that does not come, and asks again', async () => {
    const starting = reflector.start();
    const slow = await server.next();
    timers.advance(30_000);
    await slow.gone;
    (await server.next()).list('10', [aPodObject('a', 1)]);
    await starting;
    expect(troubles.map(({ error }) => String(error))).toEqual([expect.stringContaining('no answer in time')]);
  });

  it('waits for a server that is not there yet', async () => {
    const port = Number(new URL(server.url).port);
    await server.stop();
    const starting = reflector.start();
    while (troubles.length < 3) await new Promise((resolve) => setImmediate(resolve));
    server = await ScriptedApiServer.start(port);
    (await server.next()).list('10', [aPodObject('a', 1)]);
    await starting;
    expect(heard).toEqual(['+team/a@1']);
  });

  it('leaves out what cannot be read, and says so', async () => {
    await watching(aPodObject('unreadable', 1), aPodObject('b', 2));
    expect([...reflector.entries()]).toEqual([['team/b', '2']]);
    expect(troubles.map(({ what, error }) => [what, String(error)])).toEqual([
      ['object-unreadable', 'Error: cannot read team/unreadable'],
    ]);
  });
});

describe('the watch of a reflector', () => {
  it('goes on from the list, with bookmarks, for five to ten minutes', async () => {
    const watch = await watching();
    expect(watch.query).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '10',
      timeoutSeconds: '450',
    });
  });

  it('tells what is added, changed and deleted, in order', async () => {
    const watch = await watching(aPodObject('a', 1));
    watch.open().event('ADDED', aPodObject('b', 11)).event('MODIFIED', aPodObject('a', 12));
    watch.event('DELETED', aPodObject('b', 13));
    expect(await hearing(3)).toEqual(['+team/b@11', '~team/a@12', '-team/b@13']);
  });

  it('begins again where it ended, at a bookmark too', async () => {
    const watch = await watching();
    watch.open().event('ADDED', aPodObject('a', 11)).bookmark('15').end();
    expect((await server.next()).query).toMatchObject({ watch: 'true', resourceVersion: '15' });
    expect(timers.pauses).toEqual([]);
    expect(troubles).toEqual([]);
  });

  it('begins again where it broke, and drops the half of an event', async () => {
    const watch = await watching();
    watch.open().event('ADDED', aPodObject('a', 11)).bytes('{"type":"ADDED","obj');
    await hearing(1);
    watch.reset();
    const again = await server.next();
    expect(again.query).toMatchObject({ watch: 'true', resourceVersion: '11' });
    again.open().event('ADDED', aPodObject('b', 12));
    expect(await hearing(2)).toEqual(['+team/a@11', '+team/b@12']);
    expect(troubleKinds()).toEqual(['watch-failed']);
  });

  it('reads an event whose characters come in parts', async () => {
    const watch = await watching();
    const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: aPodObject('schiff-🚢', 11) })}\n`);
    const cut = bytes.indexOf(Buffer.from('🚢')) + 2;
    watch.open().bytes(bytes.subarray(0, cut));
    await new Promise((resolve) => setImmediate(resolve));
    watch.bytes(bytes.subarray(cut));
    expect(await hearing(1)).toEqual(['+team/schiff-🚢@11']);
  });

  it('passes over old news of an object', async () => {
    const watch = await watching(aPodObject('a', 9));
    watch.open().event('MODIFIED', aPodObject('a', 8)).event('ADDED', aPodObject('a', 9));
    watch.event('DELETED', aPodObject('a', 7, 'an earlier a')).event('ADDED', aPodObject('b', 11));
    expect(await hearing(1)).toEqual(['+team/b@11']);
    expect(reflector.get('team/a')).toBe('9');
  });

  it('tells an object that was made anew under its name as one deleted and one added', async () => {
    const watch = await watching(aPodObject('a', 9));
    watch.open().event('ADDED', aPodObject('a', 11, 'another a'));
    expect(await hearing(2)).toEqual(['-team/a@9', '+team/a@11']);
  });

  it.each([
    ['401 for good', 401],
    ['403', 403],
    ['429', 429],
    ['500', 500],
  ])('asks again from where it was after a %s', async (_title, code) => {
    let watch = await watching();
    const reason = 'for a while';
    const answered = { 401: 2, 429: 5 }[code] ?? 1; // the call itself tries these again
    for (let refused = 0; refused < answered; refused += 1) {
      watch.refuse(code, reason);
      watch = await server.next();
    }
    expect(watch.query).toMatchObject({ watch: 'true', resourceVersion: '10' });
    expect(troubleKinds()).toEqual(['watch-failed']);
  });

  it('pauses when the server ends each watch at once', async () => {
    let watch = await watching();
    for (let round = 0; round < 4; round += 1) {
      watch.open().end();
      watch = await server.next();
    }
    expect(timers.pauses).toEqual([187.5, 375, 750, 1500]);
  });
});

const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 10 (99)' };
const lost: Record<string, (watch: Exchange) => void> = {
  'refused as too old': (watch) => {
    watch.refuse(410, 'Expired');
  },
  'told in the stream that it is too old': (watch) => {
    watch.open().event('ERROR', expired);
  },
  'told of another error in the stream': (watch) => {
    watch.open().event('ERROR', { kind: 'Status', code: 500, reason: 'InternalError', message: 'cannot decode' });
  },
  'sent a line that is no JSON': (watch) => {
    watch.open().bytes('<html>\n');
  },
  'sent an event of an unknown type': (watch) => {
    watch.open().event('RENAMED', aPodObject('a', 11));
  },
  'refused as a bad request': (watch) => {
    watch.refuse(400, 'BadRequest');
  },
};

describe('a reflector that has lost track', () => {
  it.each(Object.entries(lost))('lists again and tells exactly what it missed: %s', async (_title, lose) => {
    lose(await watching(aPodObject('gone', 1), aPodObject('same', 2), aPodObject('new', 3), aPodObject('anew', 4)));
    const list = await server.next();
    expect(list.query).toEqual({ limit: '2' });
    list.list('99', [aPodObject('same', 2), aPodObject('new', 50)], 'more');
    (await server.next()).list('99', [aPodObject('anew', 51, 'another'), aPodObject('more', 52)]);
    expect((await server.next()).query).toMatchObject({ resourceVersion: '99' });
    expect(heard).toEqual(['-team/gone@1', '~team/new@50', '-team/anew@4', '+team/anew@51', '+team/more@52']);
  });

  it('lists at once the first time that it is too old, and pauses when that does not help', async () => {
    let watch = await watching();
    for (let round = 0; round < 4; round += 1) {
      watch.refuse(410, 'Expired');
      (await server.next()).list('10', []);
      watch = await server.next();
    }
    expect(timers.pauses).toEqual([375, 750, 1500]);
    watch.open().bookmark('20').event('ERROR', expired);
    (await server.next()).list('30', []);
    (await server.next()).open();
    expect(timers.pauses).toEqual([375, 750, 1500]);
    expect(troubleKinds()).toEqual(Array.from({ length: 5 }, () => 'expired'));
  });
});

describe('a silent watch', () => {
  it('is ended and begun again when the server knows nothing newer', async () => {
    const watch = await watching();
    watch.open();
    timers.advance(65_000);
    await watch.gone;
    const check = await server.next();
    expect(check.query).toEqual({ limit: '1' });
    check.list('10', []);
    expect((await server.next()).query).toMatchObject({ watch: 'true', resourceVersion: '10' });
    expect(troubleKinds()).toEqual(['silent']);
  });

  it('is followed by a list when the server has gone back behind it', async () => {
    const watch = await watching(aPodObject('a', 10));
    watch.open();
    timers.advance(65_000);
    (await server.next()).list('7', []);
    (await server.next()).list('7', [aPodObject('a', 6)]);
    expect((await server.next()).query).toMatchObject({ watch: 'true', resourceVersion: '7' });
    expect(heard).toEqual(['~team/a@6']);
  });

  it('is none as long as bookmarks come', async () => {
    const watch = await watching();
    watch.open();
    for (let minute = 1; minute <= 4; minute += 1) {
      watch.bookmark(`${10 + minute}`).event('ADDED', aPodObject(`a${minute}`, 10 + minute));
      await hearing(minute);
      timers.advance(60_000);
    }
    expect(server.unasked).toBe(0);
    expect(troubles).toEqual([]);
  });

  it('is ended also when the check does not come through', async () => {
    (await watching()).open();
    timers.advance(65_000);
    (await server.next()).refuse(500, 'InternalError');
    expect((await server.next()).query).toMatchObject({ watch: 'true', resourceVersion: '10' });
    expect(troubleKinds()).toEqual(['silent', 'watch-failed']);
  });
});

describe('a full comparison', () => {
  it('finds what the watch never said, every five minutes', async () => {
    const watch = await watching(aPodObject('a', 1), aPodObject('b', 2));
    watch.open();
    for (let seconds = 0; seconds < 300; seconds += 50) {
      watch.event('ADDED', aPodObject(`at-${seconds}`, 100 + seconds));
      await hearing(1 + seconds / 50);
      expect(server.unasked).toBe(0);
      timers.advance(50_000);
    }
    heard.length = 0;
    await watch.gone;
    (await server.next()).list('500', [aPodObject('a', 1)]);
    expect((await server.next()).query).toMatchObject({ watch: 'true', resourceVersion: '500' });
    expect(heard).toContain('-team/b@2');
    expect(heard).toHaveLength(7);
    expect(troubles).toEqual([]);
  });
});

describe('a list that is asked for', () => {
  it('comes at once, and is answered when it has been heard of', async () => {
    const watch = await watching(aPodObject('a', 1), aPodObject('b', 2));
    watch.open();
    const listing = reflector.relist();
    await watch.gone;
    (await server.next()).list('20', [aPodObject('a', 1), aPodObject('c', 19)]);
    await listing;
    expect(heard).toEqual(['-team/b@2', '+team/c@19']);
    expect((await server.next()).query).toMatchObject({ watch: 'true', resourceVersion: '20' });
    expect(troubles).toEqual([]);
  });

  it('is another one than that which has begun', async () => {
    const starting = reflector.start();
    const first = await server.next();
    const listing = reflector.relist();
    first.list('10', [aPodObject('a', 1)]);
    await starting;
    (await server.next()).list('11', [aPodObject('a', 1), aPodObject('b', 11)]);
    await listing;
    expect(heard).toEqual(['+team/a@1', '+team/b@11']);
  });

  it('does not come when the reflector is stopped', async () => {
    (await watching()).open();
    const listing = reflector.relist();
    await Promise.all([
      expect(listing).rejects.toThrow(`the reflector of ${PATH} was stopped before it was listed anew`),
      reflector.stop(),
    ]);
  });
});

describe('a handler that throws', () => {
  it('is reported, and stops neither the others nor the watch', async () => {
    reflector.onChange(() => {
      throw new Error('at once');
    });
    reflector.onChange(() => Promise.reject(new Error('later')));
    const last: string[] = [];
    reflector.onChange((change) => last.push(inWords(change)));
    const watch = await watching(aPodObject('a', 1));
    watch.open().event('MODIFIED', aPodObject('a', 11)).event('DELETED', aPodObject('a', 12));
    await hearing(2);
    expect(last).toEqual(['+team/a@1', '~team/a@11', '-team/a@12']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(troubles.map(({ what, error }) => `${what}: ${(error as Error).message}`).sort()).toEqual([
      ...Array.from({ length: 3 }, () => 'handler-failed: at once'),
      ...Array.from({ length: 3 }, () => 'handler-failed: later'),
    ]);
  });

  it('hears no more when it has left', async () => {
    const leave = reflector.onChange(() => {
      throw new Error('I am still here');
    });
    leave();
    await watching(aPodObject('a', 1));
    expect(troubles).toEqual([]);
  });
});

describe('a reflector that is stopped', () => {
  it('lets its watch go and tells nothing more', async () => {
    const watch = await watching();
    watch.open();
    await reflector.stop();
    await watch.gone;
    expect(heard).toEqual([]);
    expect(troubles).toEqual([]);
  });

  it('tells whoever waits for its first list', async () => {
    const starting = reflector.start();
    await server.next();
    await Promise.all([
      expect(starting).rejects.toThrow(`the reflector of ${PATH} was stopped before its first list was complete`),
      reflector.stop(),
    ]);
  });

  it('may be stopped by its own handler, who hears nothing more', async () => {
    reflector.onChange(() => {
      void reflector.stop();
    });
    const starting = reflector.start();
    (await server.next()).list('10', [aPodObject('a', 1), aPodObject('b', 2)]);
    await starting;
    expect(heard).toEqual(['+team/a@1']);
  });
});
