import type { KubePod } from '../kube-types.js';
import { isTerminal, MAIN_CONTAINER, type PodLife } from './pod-life.js';

/** Where the output of a pod is read. */
export interface PodOutput {
  readonly container: string;
  /** `false`: its container has not begun, so there is none yet. */
  readonly hasBegun: boolean;
}

/** As kubectl knows it. */
const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

export function outputOfCreated({ phase }: PodLife): PodOutput {
  return { container: MAIN_CONTAINER, hasBegun: phase === 'started' || phase === 'ended' };
}

/** That of the container which its maker has named, or of the first. */
export function outputOfFound(pod: KubePod): PodOutput {
  const { metadata, spec = {}, status = {} } = pod;
  const names = (spec.containers ?? []).map(({ name }) => name);
  const [first = ''] = names;
  const named = metadata.annotations?.[DEFAULT_CONTAINER];
  const container = named !== undefined && names.includes(named) ? named : first;
  const { state = {}, restartCount = 0 } = status.containerStatuses?.find(({ name }) => name === container) ?? {};
  const hasRun = restartCount > 0 || state.running !== undefined || state.terminated !== undefined;
  return { container, hasBegun: hasRun || isTerminal(pod) };
}
