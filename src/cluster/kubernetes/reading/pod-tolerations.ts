import type { V1PodSpec } from '@kubernetes/client-node';
import type { Taint, Toleration } from '../../../core/index.js';
import type { Refuse } from './unsupported.js';

const EFFECTS: readonly Taint['effect'][] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** For how long it tolerates a taint (`tolerationSeconds`) does not matter where it may start. */
export function podTolerations({ tolerations = [] }: V1PodSpec, refuse: Refuse): readonly Toleration[] {
  return tolerations.map(({ key = '', operator = 'Equal', value, effect = '' }, index) => {
    const known = EFFECTS.find((name) => name === effect);
    if (effect !== '' && known === undefined) {
      refuse(`tolerations[${index}].effect`, `Berth does not know ${effect}`);
    }
    if (operator !== 'Equal' && operator !== 'Exists') {
      refuse(`tolerations[${index}].operator`, `Berth does not know ${operator}`);
    }
    return {
      ...(key === '' ? {} : { key }),
      operator: operator === 'Exists' ? 'Exists' : 'Equal',
      ...(value === undefined ? {} : { value }),
      ...(known === undefined ? {} : { effect: known }),
    };
  });
}
