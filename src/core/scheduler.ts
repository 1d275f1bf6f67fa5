import type { Explanation, Ms, SchedulerEvent, Settlement, WorkloadId } from './contract/index.js';
import { CoreState } from './core-state.js';
import { explain } from './explanation/index.js';
import { invariant, unreachable } from './invariant.js';
import type { Applied } from './lifecycle/index.js';
import {
  adoptPod,
  command,
  commitSet,
  observeNode,
  observePod,
  observeWorkload,
  refuseEviction,
  refuseSet,
  wakeTakers,
} from './lifecycle/index.js';
import { settle } from './settle.js';
import type { Snapshot } from './snapshot.js';
import { restoreState, snapshotOf } from './snapshot.js';
import type { SchedulerView } from './view.js';
import { viewOf } from './view.js';
import type { WorkCounts } from './work-counts.js';

/**
 * The scheduling core: told what happened by `apply`, asked what to do by `decide`. It has no clock, no I/O and no
 * chance; the same events and times give the same decisions, byte for byte. Input that comes at one time is applied in
 * any order, then `decide` is called once.
 *
 * ## Sets
 * A settlement is a list of decisions; those with one `set` are committed together or refused together, in the order
 * given. A set is about one workload, or about a pre-emptor and all that make room for it. The caller answers each set
 * by `set-committed` or `set-refused`, best in the order given; until then the core decides nothing more about its
 * workloads, whatever it is told about them. A start and growth are assumed at once: seats and quota are taken, and given
 * back when it is refused; growth is tried again after `retry.backoffMs`. So is what others give up `for` it: their claims and charges end with the decision, and stand
 * again when it is refused. All other decisions take effect with their commit, so what they free is given to others by
 * the next `decide`. A later set may count on quota that an earlier one frees: when that was refused, look again. After
 * a refusal the workload that was to start, or to end by itself, waits until the queue or node named in `at` changes, it
 * is changed or cancelled, or `retry.backoffMs` have passed. After `why: 'epoch'` throw this core away and rebuild it.
 * Sets of `wait`, `plan` and `unplan` are words for display and need no answer.
 *
 * ## The life of a workload
 * ```
 * pending ──start──► starting ──all its pods started──► running ──all its pods succeeded──► release and finish
 *    ▲                   │                                 │
 *    └── then: requeue ──┴──────────── evict ──────────────┴── then: fail | end ──► finish
 * ```
 * - **start** names all pods of an incarnation with their seats, all of its charges, and the time by which all must
 *   run. `incarnation` is one more than the last that was committed, and than that of any pod that still stands. It may
 *   come while the ledger still shows the workload as evicting: see *requeue*. `waitsFor` names the pods that must go
 *   from its nodes: each of its pods is bound when those of its own node are gone. They are pods of the same set, which
 *   evicts them or takes them from an elastic gang, or pods that are leaving already: of an earlier incarnation of its
 *   own, or that this one waited for (see *repair*). Nobody else may claim what they still occupy.
 * - **evict** ends the incarnation: it names every pod of it that still has a claim, also those that have ended, and
 *   every charge. Claims and charges end when it is committed; the caller deletes the pods (harmless for those that
 *   are gone) and reports what becomes of them. With `for` it makes room for that workload, in one set with its start;
 *   the evicted one is requeued even when it ends by itself before the set is answered.
 * - **grow** adds pods to a running workload that has fewer than its counts allow: same incarnation, indexes that no pod
 *   of it ever had, more charges. It comes after every waiting minimum had its turn, on free capacity and quota, in the
 *   flavor of its pods and inside what it requires; not while pods of an earlier growth are still to come, nor before
 *   `preemption.minRuntimeMs` after it shrank, nor during a backoff after pods of it failed by their own fault or were
 *   refused. Such pods must run by `startByMs`, or are given up again.
 * - **shrink** gives up some pods above the minimum (highest indexes first): the caller deletes the pods, the others go
 *   on. It comes when counts are lowered and when pods did not come up in time, then perhaps in one set with a `release`;
 *   with `for`, as an eviction.
 * - **release** ends claims and charges of pods that ended by themselves, or are lost beyond a gang's minimum, or are
 *   replaced one by one (`onLoss: replace`: a later `grow` brings a new pod as long as one is left). It says
 *   nothing about occupancy. With some pods, the others run on; with all pods of a successful workload it stands in one
 *   set with `finish`. Pods that start `each` by itself and have succeeded are released while others of their set are
 *   still to be started: `grow` brings those, and the workload has succeeded when `count` of each set have. Deleting released pods is harmless and frees what a lost one may still hold.
 * - **finish** is the last word. It comes in a later set than `evict`, or together with `release`, when no pod of the
 *   workload occupies a node any more; pods on a silent node (lost or removed) are not waited for.
 * - **requeue**: the workload is pending again, without a further decision, when none of its pods occupies a node that
 *   answers. `retries` and `notBeforeMs` of the `evict` are then its own.
 * - **repair**: a workload that is requeued at once as `node-lost` or `gang-incomplete` is tried before anything new
 *   starts, in the settle after the commit of its `evict`; until that is answered nothing new starts. It may start
 *   though pods of it are still leaving, and takes their place. Tried once: then it waits for its requeue, at its old
 *   place in the order.
 * - **wait** tells, for display, which constraint binds; only when it changes, for a group of equal workloads.
 *
 * ## The life of a pod
 * Its *claim* lasts from `start` until the `evict` or `release` that names it. Its *occupancy* lasts from the commit of
 * its start until evidence: `pod-gone`, `pod-refused` or `node-fenced`. `pod-ended` is no evidence: a driver reports
 * `pod-gone` once nothing of the pod is left, after it, never before (what ends after it is gone is not heard). So every
 * pod of a committed start must one day be `pod-gone` (also one whose creation was skipped because an eviction came
 * first) or refused. `pod-gone` without `pod-ended` before counts
 * as lost by its node. Slots, CPU and memory are free for others only with neither claim nor occupancy.
 *
 * A pod that waits for others takes no place until it is seen. Seen before they are gone (two watchers may overtake one
 * another), it is there: the node counts as overdrawn until the others are reported gone.
 *
 * ## Why an incarnation ends
 * The first cause counts; exits 64, 65 and 69 of a workload's own go before the others that are seen in one settle.
 *
 * | Cause | `reason` | `then` |
 * |---|---|---|
 * | cancelled (pending: `finish` at once) | `cancelled` | `end` |
 * | a pod exits 64, 65 or 69 by its own fault | `failed` | `fail` |
 * | another exit by its own fault, a gang below its minimum | `gang-incomplete` | `requeue` after 10 s · 2ⁿ ≤ 5 min; `failed`, `fail` once `maxRetries` are used |
 * | pods evicted, deleted, lost, blame not `workload`, below the minimum | `gang-incomplete` | `requeue` at once |
 * | below the minimum since a node is lost, removed or fenced | `node-lost` | `requeue` at once |
 * | a node is draining, repairing, validating or retired | `drained` | `requeue` at once |
 * | a device failed | `device-failed` | `requeue` at once |
 * | a pod was refused: `elsewhere` avoids that node until it changes | `gang-incomplete` | `requeue` after a backoff; `never`: `failed`, `fail` |
 * | its `minCount` was raised above the pods it has (a gang) | `gang-incomplete` | `requeue` at once |
 * | a pod exits 75 unasked, a gang below its minimum | `gang-incomplete` | `requeue` after a backoff |
 * | runs longer than its `limitMs`, counted from the decision to start it | `over-limit` | `fail` |
 * | less than the minimum runs at `startByMs` | `gang-incomplete` | `requeue` after a backoff |
 *
 * A hold stops no running workload; it keeps a pending one from starting, as does what it depends on (`dependsOn`).
 *
 * ## Rebuilding from a ledger
 * In this order: `policy-set`, flavors, queues, `node-seen` and `node-state-changed`, then per unfinished workload
 * `workload-submitted` (its `incarnation`, `round`, `nextIndex`, `done`, `retries`, `notBeforeMs` and `ending` as stored) and
 * one `pod-adopted` for each pod that claims or occupies (with the `waitsFor` of its start, as long as it is not bound);
 * then `workload-cancelled` where that was asked. `leaving`: no claim any more.
 * Charges follow from the claims: each node belongs to one device flavor and one CPU flavor. A pod that has ended but
 * not yet been released is adopted as `started`, then `pod-ended`. Decide only when all is told.
 */
export class Scheduler {
  readonly #state: CoreState;

  /** An empty core: no nodes, no queues, the default policy. The first event has `seq` 1. */
  constructor(state = new CoreState()) {
    this.#state = state;
  }

  /**
   * Total: an event that does not fit (unknown pod, older incarnation, seen before) changes nothing and is counted.
   * Only a gap in `seq` is a bug of the caller, and throws.
   */
  apply(event: SchedulerEvent): void {
    const state = this.#state;
    invariant(event.seq <= state.seq + 1, 'no event is left out', { seq: event.seq, last: state.seq });
    if (event.seq <= state.seq) {
      state.misfits++;
      return;
    }
    state.seq = event.seq;
    state.clock(event.atMs);
    if (route(state, event) === 'misfit') state.misfits++;
    for (const row of state.pods.takeFreedRows()) state.wakeForNode(row);
    for (const id of state.pods.takeDoneWaiting()) wakeTakers(state, id);
    const moved = state.pods.takeRulesMoved();
    if (moved !== undefined) state.wakeForRules(moved);
    state.journal.commit();
    state.fleet.standing.sweep();
  }

  /** One settle. Called again without events at the same time it finds nothing to do, at once. */
  decide(nowMs: Ms): Settlement {
    return settle(this.#state, nowMs);
  }

  /** Why a workload waits, and the smallest change that would start it; pays its cost at the question. */
  explain(workload: WorkloadId, nowMs: Ms): Explanation {
    return explain(this.#state, workload, nowMs);
  }

  /** Read only, for pages and metrics. */
  view(): SchedulerView {
    return viewOf(this.#state);
  }

  /** What it took so far, in counts; for benchmarks and budgets. */
  work(): Readonly<WorkCounts> {
    return { ...this.#state.work };
  }

  /** Plain data, fit for JSON; indexes are never in it. */
  snapshot(): Snapshot {
    return snapshotOf(this.#state);
  }

  /** Decides as the one that the snapshot was taken of would. */
  static restore(snapshot: Snapshot): Scheduler {
    return new Scheduler(restoreState(snapshot));
  }
}

function route(state: CoreState, event: SchedulerEvent): Applied {
  switch (event.kind) {
    case 'policy-set':
    case 'queue-set':
    case 'queue-removed':
    case 'flavor-set':
    case 'flavor-removed':
    case 'workload-submitted':
    case 'workload-changed':
    case 'workload-cancelled':
      return command(state, event);
    case 'node-seen':
    case 'node-removed':
    case 'node-state-changed':
    case 'device-state-changed':
    case 'node-fenced':
    case 'foreign-use-seen':
      return observeNode(state, event);
    case 'set-committed':
      return commitSet(state, event);
    case 'set-refused':
      return refuseSet(state, event);
    case 'pod-bound':
    case 'pod-started':
    case 'pod-ended':
    case 'pod-gone':
    case 'pod-refused':
      return observePod(state, event);
    case 'pod-adopted':
      return adoptPod(state, event);
    case 'eviction-refused':
      return refuseEviction(state, event);
    case 'progress-seen':
    case 'checkpoint-saved':
      return observeWorkload(state, event);
    default:
      return unreachable(event);
  }
}
