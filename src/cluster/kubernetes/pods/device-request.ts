import type { SlotShare } from '../../../core/index.js';
import type { DeviceResource } from '../nodes/node-spec-of.js';

export type DeviceRequest =
  | { readonly kind: 'request'; readonly resources: Readonly<Record<string, string>> }
  | { readonly kind: 'misfit'; readonly why: string };

const WHOLE = 1000;

/**
 * What a pod asks its kubelet for to get these slots. The kubelet picks the devices: the numbers of slots are the
 * ledger's own count, and only how many there are reaches the node.
 */
export function deviceRequestOf(slots: readonly SlotShare[], devices: readonly DeviceResource[]): DeviceRequest {
  const [first] = slots;
  if (first === undefined) return { kind: 'request', resources: {} };
  const device = devices.find(
    ({ firstSlot, slots: count }) => first.slot >= firstSlot && first.slot < firstSlot + count,
  );
  if (device === undefined) return misfit(`it has no device ${first.slot} now`);
  const { resource, firstSlot, replicas } = device;
  const stranger = slots.find(({ slot }) => slot < firstSlot || slot >= firstSlot + device.slots);
  if (stranger !== undefined) return misfit(`its devices ${first.slot} and ${stranger.slot} are not of one kind`);
  if (slots.some(({ profile }) => profile !== undefined)) return misfit('it cuts no partitions for a pod');
  if (replicas === 1) {
    if (slots.some(({ milli }) => milli !== WHOLE)) return misfit('it does not share its devices');
    return { kind: 'request', resources: { [resource]: String(slots.length) } };
  }
  const parts = (first.milli * replicas) / WHOLE;
  if (slots.length > 1 || parts >= replicas) return misfit('it shares its devices, and gives away no whole ones');
  if (!Number.isInteger(parts)) return misfit(`it gives away its devices in parts of ${Math.round(WHOLE / replicas)}`);
  return { kind: 'request', resources: { [resource]: String(parts) } };
}

function misfit(why: string): DeviceRequest {
  return { kind: 'misfit', why };
}
