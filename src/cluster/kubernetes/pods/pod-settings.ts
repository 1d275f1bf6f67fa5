import { z } from 'zod';

/** An unprivileged user that many images know as `nonroot`. */
const NON_ROOT = 65_532;
const ClaimNameSchema = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
  .describe('the name of a PersistentVolumeClaim');

/** What all pods of Berth have in common. */
export const PodSettingsSchema = z.strictObject({
  /** Whose entry point is the trainer; without it, workloads with a `trainer` are refused. */
  trainerImage: z.string().min(1).max(512).optional(),
  /**
   * In the namespace of each team: where the folders of workloads live. Without it a folder lives as long as its pod, so
   * checkpoints do not outlive an incarnation.
   */
  workloadClaim: ClaimNameSchema.optional(),
  /** User and group that programs run as, and that own the folder. */
  runAs: z.int().min(1).max(2_147_483_647).default(NON_ROOT),
});
export type PodSettings = z.output<typeof PodSettingsSchema>;

export const DEFAULT_POD_SETTINGS: PodSettings = PodSettingsSchema.parse({});
