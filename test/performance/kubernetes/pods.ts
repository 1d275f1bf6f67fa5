import { GPU_RESOURCE } from '../../kubernetes/rig/fake-nodes.js';

const WORKERS = 16;

export interface PodSize {
  readonly gpus: number;
  readonly cpu: string;
}

/** Whatever else its spec has, such as who schedules it. */
export function aPod(name: string, { gpus, cpu }: PodSize, spec: object): object {
  const devices = gpus === 0 ? {} : { [GPU_RESOURCE]: String(gpus) };
  const resources = { requests: { cpu, memory: '128Mi', ...devices }, limits: devices };
  return { metadata: { name }, spec: { ...spec, containers: [{ name: 'main', image: 'none', resources }] } };
}

/** Some at a time, as an API server takes them well. */
export async function inParallel(count: number, create: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const creator = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await create(index);
  };
  await Promise.all(Array.from({ length: WORKERS }, creator));
}
