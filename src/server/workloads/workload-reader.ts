import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { readCursor, writeCursor } from './workload-cursor.schema.js';
import { workloadOf } from './workload-of.js';
import { WORKLOAD_ROWS, type WorkloadRow } from './workload-row.js';
import type { ListWorkloads, Workload, WorkloadPage } from './workload.schema.js';

/** The events stream shows the newest so many finished workloads beside all unfinished ones. */
const RECENT_FINISHED_MAX = 50;
const LIVE_MAX = 1000;
/** A page that watches gets so many of the newest points of a curve with each change. */
const LIVE_EPOCHS_MAX = 50;

/** Reads workloads as the API shows them; every list has a limit and a stated order. */
@Injectable()
export class WorkloadReader {
  constructor(@InjectDataSource() private readonly database: DataSource) {}

  /** Also one that was removed since: what was answered once is answered again. */
  async findSubmitted(uid: string): Promise<Workload | undefined> {
    const [row] = await this.rows('w.uid = $1', [uid]);
    return row === undefined ? undefined : workloadOf(row);
  }

  /** `team` limits what is found; `undefined` finds all. */
  async find(uid: string, team?: string): Promise<Workload | undefined> {
    const [row] = await this.rows('w.uid = $1 AND w.deleted_at IS NULL AND ($2::text IS NULL OR w.team = $2)', [
      uid,
      team,
    ]);
    return row === undefined ? undefined : workloadOf(row);
  }

  /** Newest first, then by uid. */
  async list(query: ListWorkloads): Promise<WorkloadPage> {
    const after = query.cursor === undefined ? undefined : readCursor(query.cursor);
    const rows = await this.rows(
      `w.deleted_at IS NULL AND ($1::text IS NULL OR w.team = $1) AND ($2::text IS NULL OR w.queue = $2)
       AND ($3::text IS NULL OR w.name = $3) AND ($4::text IS NULL OR w.state = $4)
       AND ($5::bigint IS NULL
         OR (w.created_at, w.uid) < ('epoch'::timestamptz + $5::bigint * interval '1 microsecond', $6::uuid))
       ORDER BY w.created_at DESC, w.uid DESC LIMIT $7`,
      [query.team, query.queue, query.name, query.state, after?.createdMicros, after?.uid, query.limit + 1],
    );
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      items: page.map(workloadOf),
      ...(rows.length > query.limit && last !== undefined ? { next: writeCursor(last.cursor) } : {}),
    };
  }

  /** What a page that watches shows: all that is unfinished and the newest of the rest, newest first. */
  async recent(team: string | undefined): Promise<readonly Workload[]> {
    const rows = await this.rows(
      `w.deleted_at IS NULL AND ($1::text IS NULL OR w.team = $1) AND (w.finished_at IS NULL OR w.uid IN (
         SELECT uid FROM workloads WHERE finished_at IS NOT NULL AND deleted_at IS NULL AND ($1::text IS NULL OR team = $1)
         ORDER BY finished_at DESC, uid LIMIT ${RECENT_FINISHED_MAX}))
       ORDER BY w.created_at DESC, w.uid DESC LIMIT ${LIVE_MAX}`,
      [team],
    );
    return rows.map(liveOf);
  }

  /** As `recent` shows them. */
  async byUids(uids: readonly string[]): Promise<readonly Workload[]> {
    const rows = await this.rows('w.uid = ANY($1) AND w.deleted_at IS NULL ORDER BY w.created_at DESC, w.uid DESC', [
      uids,
    ]);
    return rows.map(liveOf);
  }

  private rows(where: string, parameters: readonly unknown[]): Promise<WorkloadRow[]> {
    return this.database.query<WorkloadRow[]>(
      `${WORKLOAD_ROWS} WHERE ${where}`,
      parameters.map((value) => value ?? null),
    );
  }
}

function liveOf(row: WorkloadRow): Workload {
  const { progress } = row;
  if (progress === null) return workloadOf(row);
  return workloadOf({ ...row, progress: { ...progress, epochs: progress.epochs.slice(-LIVE_EPOCHS_MAX) } });
}
