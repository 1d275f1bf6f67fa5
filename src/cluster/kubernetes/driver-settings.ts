import { z } from 'zod';
import { NodeMappingSchema } from './nodes/node-mapping.js';
import { PodSettingsSchema } from './pods/pod-settings.js';

/** What an operator may say to the driver, as a file; each key has a default. */
export const DriverSettingsSchema = z.strictObject({
  pods: PodSettingsSchema.prefault({}),
  nodes: NodeMappingSchema.prefault({}),
});
export type DriverSettings = z.output<typeof DriverSettingsSchema>;
