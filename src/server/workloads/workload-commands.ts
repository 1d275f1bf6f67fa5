import { createHash, randomInt, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { appendAudit, teamChain } from '../audit/audit-entry.js';
import { quotaExcess, type QuotaExcess } from './quota-excess.js';
import type { WorkloadDocument } from './workload.schema.js';

/** A submission: the document with its team, by whom, and the key that makes it happen once. */
export interface Submission {
  readonly document: WorkloadDocument;
  readonly team: string;
  readonly actor: string;
  readonly idempotencyKey: string | undefined;
}

export type SubmissionOutcome =
  | { readonly kind: 'created'; readonly uid: string }
  | { readonly kind: 'repeated'; readonly uid: string }
  | { readonly kind: 'key-reused' }
  | { readonly kind: 'team-not-found' }
  | { readonly kind: 'queue-not-found' }
  | { readonly kind: 'queue-not-a-leaf' }
  | { readonly kind: 'queue-of-another-team'; readonly team: string }
  | { readonly kind: 'name-taken'; readonly name: string; readonly uid: string }
  | { readonly kind: 'flavor-without-devices'; readonly flavor: string }
  | ({ readonly kind: 'quota-exceeded' } & QuotaExcess);

/** `found`: whoever made its pods takes them back, and that ends it. */
export type CancelOutcome = { readonly kind: 'requested' | 'removed' | 'not-found' | 'found' };

interface CancelledRow {
  readonly team: string;
  readonly name: string;
  readonly finished: boolean;
  readonly requested: boolean;
  readonly found: boolean;
}

/** Without look-alikes, as Kubernetes generates names. */
const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const GENERATED_LENGTH = 5;

/**
 * Writes what users want; the leading scheduler reads it as commands. Each method is one transaction with its audit
 * row, and changes nothing at all when it refuses.
 */
@Injectable()
export class WorkloadCommands {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  async submit(submission: Submission): Promise<SubmissionOutcome> {
    return this.database.transaction(async (transaction) => {
      const { actor, idempotencyKey: key, document } = submission;
      const hash = createHash('sha256')
        .update(JSON.stringify([submission.team, document]))
        .digest();
      if (key !== undefined) {
        const earlier = await claimKey(transaction, { actor, key, hash });
        if (earlier !== undefined) return earlier;
      }
      const outcome = await this.insert(transaction, submission);
      if (key !== undefined) {
        if (outcome.kind === 'created') {
          await transaction.query('UPDATE idempotency_keys SET response = $3::jsonb WHERE actor = $1 AND key = $2', [
            actor,
            key,
            JSON.stringify({ uid: outcome.uid }),
          ]);
        } else await transaction.query('DELETE FROM idempotency_keys WHERE actor = $1 AND key = $2', [actor, key]);
      }
      return outcome;
    });
  }

  /** Cancels an unfinished workload, removes a finished one from the lists. Doing it twice is harmless. */
  async cancel(uid: string, actor: string): Promise<CancelOutcome> {
    return this.database.transaction(async (transaction) => {
      const rows: CancelledRow[] = await transaction.query(
        `SELECT team, name, finished_at IS NOT NULL AS finished, cancel_requested_at IS NOT NULL AS requested,
           found IS NOT NULL AS found
         FROM workloads WHERE uid = $1 AND deleted_at IS NULL FOR UPDATE`,
        [uid],
      );
      const row = rows[0];
      if (row === undefined) return { kind: 'not-found' };
      if (row.requested && !row.finished) return { kind: 'requested' };
      if (row.found && !row.finished) return { kind: 'found' };
      const column = row.finished ? 'deleted_at' : 'cancel_requested_at';
      await transaction.query(`UPDATE workloads SET ${column} = now() WHERE uid = $1`, [uid]);
      if (!row.finished) {
        await transaction.query(`INSERT INTO commands (kind, workload) VALUES ('workload-cancelled', $1)`, [uid]);
      }
      const action = row.finished ? 'workload.remove' : 'workload.cancel';
      await appendAudit(transaction, { chain: teamChain(row.team), actor, action, subject: `workload/${row.name}` });
      await transaction.query(`SELECT pg_notify('berth_changed', $1)`, [`workload:${uid}`]);
      return { kind: row.finished ? 'removed' : 'requested' };
    });
  }

  private async insert(transaction: EntityManager, submission: Submission): Promise<SubmissionOutcome> {
    const { document, team, actor } = submission;
    const refusal = await refusalOf(transaction, submission);
    if (refusal !== undefined) return refusal;
    const uid = randomUUID();
    const name = document.metadata.name ?? generateName(document.metadata.generateName ?? 'workload-');
    const inserted: unknown[] = await transaction.query(
      `INSERT INTO workloads (uid, team, name, queue, labels, spec, created_by) VALUES ($1, $2, $3, $4, $5::jsonb,
       $6::jsonb, $7) ON CONFLICT DO NOTHING RETURNING uid`,
      [
        uid,
        team,
        name,
        document.spec.queue,
        JSON.stringify(document.metadata.labels),
        JSON.stringify(document.spec),
        actor,
      ],
    );
    if (inserted.length === 0) {
      const [taken]: { uid: string }[] = await transaction.query(
        'SELECT uid FROM workloads WHERE team = $1 AND name = $2 AND deleted_at IS NULL AND found IS NULL',
        [team, name],
      );
      return { kind: 'name-taken', name, uid: taken?.uid ?? '' };
    }
    await transaction.query(`INSERT INTO commands (kind, workload) VALUES ('workload-submitted', $1)`, [uid]);
    await appendAudit(transaction, {
      chain: teamChain(team),
      actor,
      action: 'workload.create',
      subject: `workload/${name}`,
      after: withoutSecrets(document.spec),
    });
    await transaction.query(`SELECT pg_notify('berth_changed', $1)`, [`workload:${uid}`]);
    return { kind: 'created', uid };
  }
}

async function claimKey(
  transaction: EntityManager,
  claim: { readonly actor: string; readonly key: string; readonly hash: Buffer },
): Promise<SubmissionOutcome | undefined> {
  // Waits for a racing transaction with the same key, then sees its row.
  const claimed: unknown[] = await transaction.query(
    `INSERT INTO idempotency_keys (actor, key, request_hash, response) VALUES ($1, $2, $3, '{}') ON CONFLICT DO NOTHING
     RETURNING key`,
    [claim.actor, claim.key, claim.hash],
  );
  if (claimed.length > 0) return undefined;
  const [earlier]: { request_hash: Buffer; response: { uid: string } }[] = await transaction.query(
    'SELECT request_hash, response FROM idempotency_keys WHERE actor = $1 AND key = $2',
    [claim.actor, claim.key],
  );
  if (earlier?.request_hash.equals(claim.hash) !== true) return { kind: 'key-reused' };
  return { kind: 'repeated', uid: earlier.response.uid };
}

async function refusalOf(
  transaction: EntityManager,
  { document, team }: Submission,
): Promise<SubmissionOutcome | undefined> {
  const teams: unknown[] = await transaction.query('SELECT name FROM teams WHERE name = $1', [team]);
  if (teams.length === 0) return { kind: 'team-not-found' };
  const [queue]: { team: string | null; leaf: boolean }[] = await transaction.query(
    'SELECT team, NOT EXISTS (SELECT 1 FROM queues c WHERE c.parent = q.name) AS leaf FROM queues q WHERE q.name = $1',
    [document.spec.queue],
  );
  if (queue === undefined) return { kind: 'queue-not-found' };
  if (!queue.leaf) return { kind: 'queue-not-a-leaf' };
  if (queue.team !== null && queue.team !== team) return { kind: 'queue-of-another-team', team: queue.team };
  const cpuFlavors: { name: string }[] = await transaction.query(
    'SELECT name FROM flavors WHERE model IS NULL ORDER BY name COLLATE "C"',
  );
  const cpu = cpuFlavors.map(({ name }) => name);
  const asked = document.spec.podSets.flatMap(({ accelerators }) => accelerators?.flavors ?? []);
  const flavor = asked.find((name) => cpu.includes(name));
  if (flavor !== undefined) return { kind: 'flavor-without-devices', flavor };
  const limits: { flavor: string; max: string }[] = await transaction.query(
    'SELECT flavor, max_per_workload AS max FROM queue_quotas WHERE queue = $1 AND max_per_workload IS NOT NULL',
    [document.spec.queue],
  );
  const excess = quotaExcess(document.spec, cpu, new Map(limits.map((limit) => [limit.flavor, Number(limit.max)])));
  return excess === undefined ? undefined : { kind: 'quota-exceeded', ...excess };
}

/** Values of environment variables may be secrets, and the audit is for ever. */
function withoutSecrets(spec: WorkloadDocument['spec']): unknown {
  return {
    ...spec,
    podSets: spec.podSets.map(({ template, ...podSet }) => {
      if (template === undefined) return podSet;
      const containers = template.spec.containers.map(({ env, ...container }) => {
        return { ...container, env: env.map(({ name }) => ({ name })) };
      });
      return { ...podSet, template: { ...template, spec: { ...template.spec, containers } } };
    }),
  };
}

function generateName(prefix: string): string {
  const letters = Array.from({ length: GENERATED_LENGTH }, () => NAME_ALPHABET[randomInt(NAME_ALPHABET.length)]);
  return prefix + letters.join('');
}
