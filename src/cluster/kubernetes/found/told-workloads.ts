import type { WorkloadId } from '../../../core/index.js';
import type { FoundPod, FoundWorkload } from '../../cluster.js';

interface Told extends FoundWorkload {
  /** By uid: those that have not ended. */
  readonly living: Set<string>;
  /** A pod of it was bound. */
  hasStarted: boolean;
  /** The gang whose minimum it has: who comes later starts alone. */
  readonly gang: string | undefined;
}

/** The workloads that were told of, as long as a pod of theirs lives. */
export class ToldWorkloads {
  private readonly workloads = new Map<WorkloadId, Told>();
  private readonly byPod = new Map<string, WorkloadId>();
  /** More than one where each pod is enough, and nobody knows any more which came first. */
  private readonly byGang = new Map<string, Set<WorkloadId>>();

  add(workload: FoundWorkload, gang: string | undefined): void {
    const uids = Object.values(workload.pods).flatMap((pods) => pods.map(({ uid }) => uid));
    this.workloads.set(workload.workload, { ...workload, living: new Set(uids), hasStarted: false, gang });
    for (const uid of uids) this.byPod.set(uid, workload.workload);
    if (gang !== undefined) this.byGang.set(gang, (this.byGang.get(gang) ?? new Set()).add(workload.workload));
  }

  all(): readonly WorkloadId[] {
    return [...this.workloads.keys()];
  }

  workloadOf(uid: string): WorkloadId | undefined {
    return this.byPod.get(uid);
  }

  isLiving(uid: string): boolean {
    return this.told(uid)?.living.has(uid) ?? false;
  }

  podsOf(workload: WorkloadId): readonly FoundPod[] {
    return Object.values(this.workloads.get(workload)?.pods ?? {}).flat();
  }

  hasGang(gang: string): boolean {
    return this.byGang.has(gang);
  }

  /** A pod of the gang was bound, so that all of them are, or are about to be. */
  hasStarted(gang: string): boolean {
    return [...(this.byGang.get(gang) ?? [])].some((workload) => this.workloads.get(workload)?.hasStarted);
  }

  /** The pod was bound. Answers with the gang of which it is the first. */
  start(uid: string): string | undefined {
    const told = this.told(uid);
    if (told === undefined || told.hasStarted) return undefined;
    told.hasStarted = true;
    return told.gang;
  }

  /** It has run to its end; with the last of them the workload is over. */
  end(uid: string): void {
    const told = this.told(uid);
    told?.living.delete(uid);
    if (told?.living.size === 0) this.remove(told.workload);
  }

  /** It has failed, and the others go down with it: who comes now is of the next gang. */
  fail(uid: string): void {
    const told = this.told(uid);
    if (told !== undefined) this.disband(told);
    this.end(uid);
  }

  remove(workload: WorkloadId): void {
    const told = this.workloads.get(workload);
    if (told === undefined) return;
    this.workloads.delete(workload);
    for (const { uid } of Object.values(told.pods).flat()) this.byPod.delete(uid);
    this.disband(told);
  }

  private disband({ workload, gang }: Told): void {
    const leading = this.byGang.get(gang ?? '');
    leading?.delete(workload);
    if (gang !== undefined && leading?.size === 0) this.byGang.delete(gang);
  }

  private told(uid: string): Told | undefined {
    return this.workloads.get(this.byPod.get(uid) ?? '');
  }
}
