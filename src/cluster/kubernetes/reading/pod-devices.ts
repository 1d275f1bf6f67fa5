import type { DeviceRequest, FlavorName } from '../../../core/index.js';
import type { Amounts } from './pod-requests.js';
import type { Refuse } from './unsupported.js';

/** In which flavors quota is needed, in order of preference. */
export interface PodFlavors {
  /** Those whose nodes have devices under this extended resource; `undefined`: what it counts are no devices. */
  readonly ofResource: (resource: string) => readonly FlavorName[] | undefined;
  /** Of pods without devices; none: quota does not know them. */
  readonly ofCpu: readonly FlavorName[];
}

/** Resources that the core counts by itself. */
const COUNTED: readonly string[] = ['cpu', 'memory'];

interface PodDevices {
  readonly devices?: DeviceRequest;
  readonly flavors: readonly FlavorName[];
}

/** Which devices the pod asks for, and in which flavors; every other resource that it asks for is refused. */
export function podDevices(requests: Amounts, { ofResource, ofCpu }: PodFlavors, refuse: Refuse): PodDevices {
  let asked: (PodDevices & { readonly name: string }) | undefined;
  for (const [name, count] of requests) {
    if (count === 0 || COUNTED.includes(name)) continue;
    const field = `resources.requests[${name}]`;
    const flavors = ofResource(name);
    if (flavors === undefined) refuse(field, 'Berth does not count this resource');
    else if (flavors.length === 0) refuse(field, 'no flavor has nodes with this resource', 'Unschedulable');
    else if (asked !== undefined)
      refuse(field, `a pod has devices of one kind, and this one has ${asked.name} already`);
    else asked = { name, devices: { count, milli: 1000 }, flavors };
  }
  if (asked?.devices === undefined) return { flavors: ofCpu };
  return { devices: asked.devices, flavors: asked.flavors };
}
