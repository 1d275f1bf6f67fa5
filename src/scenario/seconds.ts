import { z } from 'zod';
import type { Ms } from '../core/index.js';

const isWholeMs = (seconds: number): boolean => Number.isSafeInteger(Number((seconds * 1000).toFixed(3)));

/** A time from the start, or a length of time. */
export const SecondsSchema = z.number().min(0).refine(isWholeMs).describe('seconds, not below 0, e.g. 90 or 0.5');
/** A time that may lie before the start. */
export const PastOrFutureSchema = z
  .number()
  .refine(isWholeMs)
  .describe('seconds from the start, e.g. 90, or -90 for before it');

export function msOf(seconds: number): Ms {
  return Math.round(seconds * 1000);
}

/** Fields that are set, in milliseconds; absent ones stay absent. */
export function optionalMs<Key extends string>(key: Key, seconds: number | undefined): Partial<Record<Key, Ms>> {
  const fields: Partial<Record<Key, Ms>> = {};
  if (seconds !== undefined) fields[key] = msOf(seconds);
  return fields;
}
