import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** What PostgreSQL answers: its SQLSTATE, and the constraint where it names one. `stored`: nothing forbids it. */
async function answerTo(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'stored';
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    return constraint === undefined ? String(code) : `${String(code)} ${constraint}`;
  }
}

let database: TestDatabase;
let workload: string;
const sql = (text: string, parameters: readonly unknown[] = []): Promise<unknown> =>
  database.dataSource.query(text, [...parameters]);

beforeAll(async () => {
  database = await createTestDatabase();
  await sql(`INSERT INTO teams (name, title) VALUES ('lab', 'The lab')`);
  await sql(`INSERT INTO queues (name) VALUES ('lab')`);
  await sql(`UPDATE leadership SET epoch = 7, holder = 'rig', expires_at = 'infinity'`);
});
afterAll(() => database.drop());

/** An empty node of two devices, 4 CPUs, 8 GiB and 3 pods for each test. */
beforeEach(async () => {
  await sql(
    'TRUNCATE outbox, pod_slots, pods, slots, nodes, decisions, charges, commands, progress, reports, workloads',
  );
  await sql(`INSERT INTO nodes (name, spec, cpu_milli, memory_mib, pods_max) VALUES ('node-1', '{}', 4000, 8192, 3)`);
  await sql(`INSERT INTO slots (node, slot) VALUES ('node-1', 0), ('node-1', 1)`);
  workload = randomUUID();
  await sql(
    `INSERT INTO workloads (uid, team, name, queue, spec, created_by) VALUES ($1, 'lab', 'job', 'lab', '{}', 'me')`,
    [workload],
  );
});

interface PodWish {
  readonly slots?: Readonly<Record<number, number>>;
  readonly cpu?: number;
  readonly memory?: number;
}

let podCount = 0;

/** Inserts a pod with its slots, as it is born: without claim and occupancy. */
async function aPod({ slots = {}, cpu = 1000, memory = 1024 }: PodWish = {}): Promise<string> {
  const name = `pod-${(podCount += 1)}`;
  await sql(
    `INSERT INTO pods (name, workload, incarnation, pod_set, index, rank, world_size, node, cpu_milli, memory_mib, epoch)
     VALUES ($1, $2, 1, 'worker', $3, 0, 1, 'node-1', $4, $5, 7)`,
    [name, workload, podCount, cpu, memory],
  );
  for (const [slot, milli] of Object.entries(slots)) {
    await sql(`INSERT INTO pod_slots VALUES ($1, 'node-1', $2, $3)`, [name, slot, milli]);
  }
  return name;
}

const claim = (pod: string): Promise<unknown> => sql('UPDATE pods SET claimed = true WHERE name = $1', [pod]);
const occupy = (pod: string): Promise<unknown> => sql('UPDATE pods SET occupied = true WHERE name = $1', [pod]);

describe('a slot', () => {
  it.each([
    { title: 'whole, twice', first: 1000, second: 1000, want: '23514' },
    { title: 'as 600 and 600 milli', first: 600, second: 600, want: '23514' },
    { title: 'as 600 and 400 milli', first: 600, second: 400, want: 'stored' },
  ])('given $title: claims $want', async ({ first, second, want }) => {
    await claim(await aPod({ slots: { 0: first } }));
    const answer = await answerTo(claim(await aPod({ slots: { 0: second } })));
    expect(answer).toBe(want === '23514' ? '23514 slots_claims' : want);
  });

  it.each([
    { title: 'whole, twice', first: 1000, second: 1000, want: '23514' },
    { title: 'as 600 and 600 milli', first: 600, second: 600, want: '23514' },
    { title: 'as 600 and 400 milli', first: 600, second: 400, want: 'stored' },
  ])('given $title: occupancies $want', async ({ first, second, want }) => {
    await occupy(await aPod({ slots: { 0: first } }));
    const answer = await answerTo(occupy(await aPod({ slots: { 0: second } })));
    expect(answer).toBe(want === '23514' ? '23514 slots_occupancies' : want);
  });

  it('may be claimed while another still occupies it, and not be occupied before that is gone', async () => {
    const [leaving, next] = [await aPod({ slots: { 0: 1000 } }), await aPod({ slots: { 0: 1000 } })];
    await occupy(leaving);
    await claim(next);
    expect(await answerTo(occupy(next))).toBe('23514 slots_occupancies');
    await sql('UPDATE pods SET occupied = false WHERE name = $1', [leaving]);
    expect(await answerTo(occupy(next))).toBe('stored');
  });

  it('that a pod of another has is neither claimed nor occupied', async () => {
    await sql(`UPDATE nodes SET foreign_slots = '{1}'`);
    expect(await answerTo(claim(await aPod({ slots: { 0: 1000 } })))).toBe('stored');
    expect(await answerTo(claim(await aPod({ slots: { 1: 100 } })))).toBe('23514 slots_claims');
    expect(await answerTo(occupy(await aPod({ slots: { 1: 100 } })))).toBe('23514 slots_occupancies');
  });

  it('that the node does not have is given to nobody', async () => {
    expect(await answerTo(aPod({ slots: { 2: 1000 } }))).toBe('23503 pod_slots_node_slot_fkey');
  });

  it('cannot vanish under a pod', async () => {
    await claim(await aPod({ slots: { 0: 1000 } }));
    expect(await answerTo(sql('DELETE FROM slots WHERE slot = 0'))).toBe('23503 pod_slots_node_slot_fkey');
  });
});

describe('a node that pods of others use', () => {
  it.each([
    { title: 'CPU', foreign: 'foreign_cpu_milli = 3001' },
    { title: 'memory', foreign: 'foreign_memory_mib = 7169' },
    { title: 'pods', foreign: 'foreign_pods = 3' },
  ])('grants no $title that they have', async ({ foreign }) => {
    const [pod] = [await aPod({ cpu: 1000, memory: 1024 })];
    await sql(`UPDATE nodes SET ${foreign}`);
    expect(await answerTo(claim(pod))).toBe('BE002');
    expect(await answerTo(occupy(pod))).toBe('BE002');
    await sql(`UPDATE nodes SET foreign_cpu_milli = 3000, foreign_memory_mib = 7168, foreign_pods = 2`);
    expect(await answerTo(claim(pod))).toBe('stored');
    expect(await answerTo(occupy(pod))).toBe('stored');
  });

  it('takes back what we hold beside them, however much they use', async () => {
    const pod = await aPod({ slots: { 0: 1000 } });
    await claim(pod);
    await occupy(pod);
    const grown = `UPDATE nodes SET foreign_cpu_milli = 9000, foreign_memory_mib = 99999, foreign_pods = 9, foreign_slots = '{0,1,7}'`;
    expect(await answerTo(sql(grown))).toBe('stored');
    expect(await answerTo(sql('UPDATE pods SET claimed = false, occupied = false'))).toBe('stored');
  });
});

describe('a node', () => {
  const rows: { title: string; wishes: readonly PodWish[] }[] = [
    { title: 'more CPU than it has', wishes: [{ cpu: 2000 }, { cpu: 2001 }] },
    { title: 'more memory than it has', wishes: [{ memory: 8192 }, { memory: 1 }] },
    { title: 'more pods than it takes', wishes: [{}, {}, {}, {}] },
  ];

  it.each(rows)('grants no claims on $title', async ({ wishes }) => {
    const answers: string[] = [];
    for (const wish of wishes) answers.push(await answerTo(claim(await aPod(wish))));
    expect(answers).toEqual([...wishes.slice(1).map(() => 'stored'), 'BE002']);
  });

  it.each(rows)('is not occupied by $title', async ({ wishes }) => {
    const answers: string[] = [];
    for (const wish of wishes) answers.push(await answerTo(occupy(await aPod(wish))));
    expect(answers).toEqual([...wishes.slice(1).map(() => 'stored'), 'BE002']);
  });

  it.each([
    ['cordoned', 'unschedulable = true'],
    ['cordoned by its driver', `spec = '{"unschedulable": true}'`],
    ['lost', `state = 'lost'`],
    ['quarantined', `state = 'quarantined'`],
    ['removed', 'removed_at = now()'],
  ])('that is %s takes no claim', async (_title, change) => {
    const pod = await aPod();
    await sql(`UPDATE nodes SET ${change}`);
    expect(await answerTo(claim(pod))).toBe('BE003');
  });

  it('that is lost gives its claims back', async () => {
    const pod = await aPod({ slots: { 0: 1000 } });
    await claim(pod);
    await sql(`UPDATE nodes SET state = 'lost'`);
    await sql('UPDATE pods SET claimed = false WHERE name = $1', [pod]);
    expect(await sql('SELECT cpu_claimed, pods_claimed FROM nodes')).toEqual([{ cpu_claimed: '0', pods_claimed: 0 }]);
    expect(await sql('SELECT sum(claimed_milli)::int AS milli FROM slots')).toEqual([{ milli: 0 }]);
  });
});

describe('a pod', () => {
  it.each(['claimed', 'occupied'])('is not born %s', async (column) => {
    const birth = sql(
      `INSERT INTO pods (name, workload, incarnation, pod_set, index, rank, world_size, node, cpu_milli, memory_mib,
       epoch, ${column}) VALUES ('early', $1, 1, 'worker', 0, 0, 1, 'node-1', 1, 1, 7, true)`,
      [workload],
    );
    expect(await answerTo(birth)).toBe('BE005');
  });

  it('takes its creation from the outbox when it is stopped before', async () => {
    const pod = await aPod();
    await claim(pod);
    await sql(`INSERT INTO outbox (epoch, set_id, kind, pod) VALUES (7, 1, 'create-pod', $1)`, [pod]);
    await sql('UPDATE pods SET claimed = false WHERE name = $1', [pod]);
    expect(await sql('SELECT state FROM outbox')).toEqual([{ state: 'dropped' }]);
  });
});

describe('a scheduler whose term has ended', () => {
  it.each([6, 8])('writes no decision with epoch %i', async (epoch) => {
    const decision = sql(
      `INSERT INTO decisions (epoch, id, set_id, kind, workload, body) VALUES ($1, 1, 1, 'start', $2, '{}')`,
      [epoch, workload],
    );
    expect(await answerTo(decision)).toBe('BE001');
  });

  it('writes no pod and no intent', async () => {
    const pod = await aPod();
    await sql('UPDATE leadership SET epoch = 8');
    try {
      expect(await answerTo(aPod())).toBe('BE001');
      const intent = sql(`INSERT INTO outbox (epoch, set_id, kind, pod) VALUES (7, 1, 'create-pod', $1)`, [pod]);
      expect(await answerTo(intent)).toBe('BE001');
    } finally {
      await sql('UPDATE leadership SET epoch = 7');
    }
  });
});

describe('the charges of a queue', () => {
  it('are its use, whatever is done to them', async () => {
    const used = (): Promise<unknown> => sql(`SELECT used::int FROM queue_usage WHERE queue = 'lab'`);
    await sql(`INSERT INTO charges VALUES ($1, 'lab', 'h100', 3000)`, [workload]);
    expect(await used()).toEqual([{ used: 3000 }]);
    await sql('UPDATE charges SET milli = 1000');
    expect(await used()).toEqual([{ used: 1000 }]);
    await sql('DELETE FROM charges');
    expect(await used()).toEqual([{ used: 0 }]);
  });

  it('are never negative', async () => {
    const charge = sql(`INSERT INTO charges VALUES ($1, 'lab', 'h100', -1)`, [workload]);
    expect(await answerTo(charge)).toBe('23514 charges_milli_check');
  });
});

describe('two transactions at once', () => {
  /** Runs both up to their last statement; the first commits only when the second waits for it, or is through. */
  async function race(first: string, second: string): Promise<readonly string[]> {
    const { dataSource } = database;
    const [a, b] = [dataSource.createQueryRunner(), dataSource.createQueryRunner()];
    try {
      await a.startTransaction();
      await b.startTransaction();
      const [{ pid }] = (await b.query('SELECT pg_backend_pid() AS pid')) as [{ pid: number }];
      const answerOfFirst = await answerTo(a.query(first));
      const answerOfSecond = answerTo(b.query(second));
      await untilWaiting(dataSource, pid);
      await a.commitTransaction();
      return [answerOfFirst, await answerOfSecond];
    } finally {
      await b.rollbackTransaction();
      await a.release();
      await b.release();
    }
  }

  async function untilWaiting(dataSource: DataSource, pid: number): Promise<void> {
    const giveUpAt = performance.now() + 5000;
    while (performance.now() < giveUpAt) {
      const [row]: { waits: boolean }[] = await dataSource.query(
        `SELECT cardinality(pg_blocking_pids($1)) > 0 AS waits`,
        [pid],
      );
      if (row?.waits === true) return;
    }
    throw new Error('the second transaction waits for nobody');
  }

  it('cannot both claim the last slot', async () => {
    const [one, two] = [await aPod({ slots: { 0: 1000 } }), await aPod({ slots: { 0: 1000 } })];
    expect(
      await race(
        `UPDATE pods SET claimed = true WHERE name = '${one}'`,
        `UPDATE pods SET claimed = true WHERE name = '${two}'`,
      ),
    ).toEqual(['stored', '23514 slots_claims']);
  });

  it('cannot both claim the last CPU', async () => {
    const [one, two] = [await aPod({ cpu: 3000 }), await aPod({ cpu: 3000 })];
    expect(
      await race(
        `UPDATE pods SET claimed = true WHERE name = '${one}'`,
        `UPDATE pods SET claimed = true WHERE name = '${two}'`,
      ),
    ).toEqual(['stored', 'BE002']);
  });

  it('cannot claim on a node that is being cordoned', async () => {
    const pod = await aPod();
    expect(
      await race(
        `UPDATE nodes SET unschedulable = true WHERE name = 'node-1'`,
        `UPDATE pods SET claimed = true WHERE name = '${pod}'`,
      ),
    ).toEqual(['stored', 'BE003']);
  });

  it('cannot write in a term that another is just ending', async () => {
    try {
      expect(
        await race(
          'UPDATE leadership SET epoch = 8',
          `INSERT INTO decisions (epoch, id, set_id, kind, workload, body) VALUES (7, 1, 1, 'start', '${workload}', '{}')`,
        ),
      ).toEqual(['stored', 'BE001']);
    } finally {
      await sql('UPDATE leadership SET epoch = 7');
    }
  });

  it('let a term end only after what was written in it', async () => {
    try {
      expect(await race('SELECT assert_epoch(7)', 'UPDATE leadership SET epoch = 8')).toEqual(['stored', 'stored']);
    } finally {
      await sql('UPDATE leadership SET epoch = 7');
    }
  });
});

describe('the audit', () => {
  beforeAll(() => {
    const entry = { chain: 'team:lab', actor: 'me', action: 'try', subject: 'thing', after: { a: 1 } };
    return sql(`SELECT audit_append('${JSON.stringify([entry])}')`);
  });

  it.each([
    ['updated', `UPDATE audit SET actor = 'nobody'`],
    ['deleted', 'DELETE FROM audit'],
    ['truncated', 'TRUNCATE audit'],
  ])('is not %s', async (_title, attempt) => {
    expect(await answerTo(sql(attempt))).toBe('BE004');
  });
});
