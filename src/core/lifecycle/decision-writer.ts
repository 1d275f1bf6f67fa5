import type { Decision, DecisionId, SetId } from '../contract/index.js';
import type { CoreState } from '../core-state.js';
import type { WorkloadRecord } from '../queue/index.js';

type Without<Member, Keys extends string> = Member extends unknown ? Omit<Member, Keys> : never;
/** A decision before it has its numbers; one that is said later than it was made has its own already. */
export type DecisionBody = Without<Decision, 'id' | 'set'> & { readonly id?: DecisionId };

/** Collects the decisions of one settle, numbers them, and remembers the sets that must be answered. */
export class DecisionWriter {
  readonly #state: CoreState;
  readonly #decisions: Decision[] = [];

  constructor(state: CoreState) {
    this.#state = state;
  }

  get decisions(): readonly Decision[] {
    return this.#decisions;
  }

  /** For a decision that is made now and said later. */
  nextId(): DecisionId {
    return this.#state.nextDecision++;
  }

  /** One set about one workload, of which nothing more is decided until it is answered. */
  decide(record: WorkloadRecord, bodies: readonly DecisionBody[]): WorkloadRecord {
    const set = this.#open(bodies);
    return this.#state.book.change(record, { inFlight: set });
  }

  /** One set about several workloads: of none of them more is decided until it is answered. */
  decideTogether(records: readonly WorkloadRecord[], bodies: readonly DecisionBody[]): void {
    const set = this.#open(bodies);
    for (const record of records) this.#state.book.change(record, { inFlight: set });
  }

  /** Words for display: nobody needs to answer them. */
  tell(body: DecisionBody): void {
    this.#number(this.#state.nextSet++, [body]);
  }

  #open(bodies: readonly DecisionBody[]): SetId {
    const set = this.#state.nextSet++;
    this.#state.inFlight.set(set, this.#number(set, bodies));
    return set;
  }

  #number(set: SetId, bodies: readonly DecisionBody[]): readonly Decision[] {
    const decisions = bodies.map((body) => ({ ...body, id: body.id ?? this.nextId(), set }));
    this.#decisions.push(...decisions);
    return decisions;
  }
}
