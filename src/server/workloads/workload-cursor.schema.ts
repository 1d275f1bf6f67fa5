import { z } from 'zod';

/** Where a page of the list ends: the creation in microseconds since 1970, which a Date cannot tell, and the uid. */
interface WorkloadCursor {
  readonly createdMicros: string;
  readonly uid: string;
}

const TEXT = /^(?<createdMicros>\d{1,16})\|(?<uid>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

export const WorkloadCursorSchema = z
  .string()
  .max(200)
  .refine((cursor) => readCursor(cursor) !== undefined, 'must be the `next` of a page before');

/** `position`: both, as `WORKLOAD_ROWS` selects them. */
export function writeCursor(position: string): string {
  return Buffer.from(position).toString('base64url');
}

/** `undefined` for anything else than a cursor of ours. */
export function readCursor(cursor: string): WorkloadCursor | undefined {
  const { createdMicros, uid } = TEXT.exec(Buffer.from(cursor, 'base64url').toString())?.groups ?? {};
  return createdMicros === undefined || uid === undefined ? undefined : { createdMicros, uid };
}
