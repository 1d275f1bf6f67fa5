import { useId, useState, type ReactElement } from 'react';
import { useQuery } from '@tanstack/react-query';
import type { Workload, WorkloadExplanation } from '../server/workloads/workload.schema.js';
import { readJson, type ApiAnswer } from './read-json.js';

/** The explanation is computed for whoever asks, and what it says of others' devices soon is no longer so. */
const REFRESH_MS = 5_000;

/** Why a workload waits: the sentence of the last decision, and on demand the whole explanation of this moment. */
export function PendingReason({ workload: { metadata, status } }: { readonly workload: Workload }): ReactElement {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const { message, reason } = status;
  return (
    <div className="text-xs">
      <div className="flex items-baseline justify-between gap-3">
        <p>{message !== '' ? message : reason !== '' ? `Waits for ${reason}.` : 'Waits for its first decision.'}</p>
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={id}
          aria-label={`Why does ${metadata.name} wait?`}
          onClick={() => {
            setOpen(!isOpen);
          }}
          className="shrink-0 rounded-sm text-accent underline-offset-2 hover:underline"
        >
          {isOpen ? 'Hide' : 'Why?'}
        </button>
      </div>
      <div id={id}>{isOpen ? <Explanation uid={metadata.uid} /> : undefined}</div>
    </div>
  );
}

function Explanation({ uid }: { readonly uid: string }): ReactElement {
  const { data } = useQuery({
    queryKey: ['explanation', uid],
    queryFn: () => readJson<WorkloadExplanation>(`/v1/workloads/${uid}/explanation`),
    refetchInterval: REFRESH_MS,
  });
  return (
    <div role="status" className="mt-1 border-l-2 border-line pl-3 text-muted">
      {sentencesOf(data).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </div>
  );
}

function sentencesOf(answer: ApiAnswer<WorkloadExplanation> | undefined): readonly string[] {
  if (answer === undefined) return ['Asking the scheduler …'];
  if (answer.kind === 'refused') return [answer.detail];
  return [...new Set([answer.body.sentence, ...answer.body.also])];
}
