import { z } from 'zod';

/** A DNS label, as Kubernetes wants names; `max` keeps pod names, which are built from it, under 63 characters. */
function dnsLabel(max: number): z.ZodString {
  return z
    .string()
    .max(max, `must be at most ${max} characters`)
    .regex(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
      'must be lower-case letters, digits and "-", and begin and end with one of the first two',
    );
}

export const WorkloadNameSchema = dnsLabel(40);
/** The beginning of a workload's name, five characters short of it. */
export const GenerateNameSchema = z
  .string()
  .max(35, 'must be at most 35 characters')
  .regex(/^[a-z0-9][-a-z0-9]*$/, 'must be lower-case letters, digits and "-", and not begin with "-"');
/** The name of a workload, or of one that was found in Kubernetes: `namespace/pod`. */
export const WorkloadNameQuerySchema = z
  .string()
  .max(317)
  .regex(/^[a-z0-9]([-./a-z0-9]*[a-z0-9])?$/, 'must be the name of a workload, or `namespace/pod`');
export const TeamNameSchema = dnsLabel(40);
export const QueueNameSchema = dnsLabel(63);
export const NodeNameSchema = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, 'must be a DNS name');
export const FlavorNameSchema = dnsLabel(63);
export const PodSetNameSchema = dnsLabel(10);
export const LabelsSchema = z.record(z.string().min(1).max(317), z.string().max(63));
export const TimestampSchema = z.iso.datetime();

/** One page of a list; `next` is the cursor of the following page and absent on the last one. */
export function pageOf<T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; next: z.ZodOptional<z.ZodString> }> {
  return z.strictObject({ items: z.array(item), next: z.string().optional() });
}
