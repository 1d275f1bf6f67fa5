import { unreachable } from '../unreachable.js';
import { Problem } from '../problem.js';
import type { SubmissionOutcome } from './workload-commands.js';
import type { WorkloadDocument } from './workload.schema.js';

type Refusal = Exclude<SubmissionOutcome, { readonly kind: 'created' | 'repeated' }>;

/** Why a submission was refused, and what to do next. */
export function problemOfSubmission(refusal: Refusal, { spec, metadata }: WorkloadDocument): Problem {
  switch (refusal.kind) {
    case 'key-reused':
      return new Problem(422, {
        code: 'KEY_REUSED',
        detail: 'This Idempotency-Key came with another body: send a new key.',
      });
    case 'team-not-found':
      return new Problem(422, {
        code: 'TEAM_NOT_FOUND',
        detail: `No team ${metadata.namespace ?? 'of that name'}; see GET /v1/teams.`,
      });
    case 'queue-not-found':
      return new Problem(422, { code: 'QUEUE_NOT_FOUND', detail: `No queue ${spec.queue}; see GET /v1/queues.` });
    case 'queue-not-a-leaf':
      return new Problem(422, {
        code: 'QUEUE_NOT_A_LEAF',
        detail: `Queue ${spec.queue} has queues below it and takes no workloads: choose one of those; see GET /v1/queues.`,
      });
    case 'queue-of-another-team':
      return new Problem(403, {
        code: 'FORBIDDEN',
        detail: `Queue ${spec.queue} belongs to team ${refusal.team}: choose a queue of your team.`,
      });
    case 'name-taken':
      return new Problem(409, {
        code: 'NAME_TAKEN',
        detail: `A workload ${refusal.name} exists (${refusal.uid}): choose another name or generateName, or remove that one.`,
      });
    case 'flavor-without-devices':
      return new Problem(422, {
        code: 'INVALID_BODY',
        detail:
          `Flavor ${refusal.flavor} has no accelerators: name others in accelerators.flavors; ` +
          `a pod set without accelerators takes its CPUs from it.`,
      });
    case 'quota-exceeded':
      return new Problem(403, {
        code: 'QUOTA_EXCEEDED',
        detail:
          `It asks for ${refusal.requestedMilli / 1000} of ${refusal.flavor}; queue ${spec.queue} allows one ` +
          `workload ${refusal.maxMilli / 1000}: ask for fewer, or for a higher maxPerWorkload.`,
      });
    default:
      return unreachable(refusal);
  }
}
