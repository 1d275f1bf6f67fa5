import type { V1PodSpec } from '@kubernetes/client-node';
import type { HostPort } from '../../../core/index.js';

/** Of containers and sidecars; an init container that ends has none when the pod runs. */
export function podHostPorts({ containers, initContainers = [] }: V1PodSpec): readonly HostPort[] {
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  const ports = [...sidecars, ...containers].flatMap((container) => container.ports ?? []);
  return ports.flatMap(({ hostPort, protocol, hostIP }) => {
    if (hostPort === undefined || hostPort === 0) return [];
    return [
      {
        port: hostPort,
        ...(protocol === undefined ? {} : { protocol }),
        ...(hostIP === undefined || hostIP === '' ? {} : { ip: hostIP }),
      },
    ];
  });
}
