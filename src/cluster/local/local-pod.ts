import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { PodRef } from '../../core/index.js';
import type { Observation, PodSeen } from '../cluster.js';
import { removeCgroups } from './pod-cgroup.js';
import { END_OF_VANISHED, endOfForcedStop, type RecordedEnd, type StopReason } from './pod-end.js';
import type { PodFolder, PodStatus } from './pod-folder.js';
import { inheritedEnvironment } from './plan-pod.js';
import type { PodPlan } from './pod-plan.js';
import { killPodProcesses } from './pod-processes.js';
import { identifyProcess, isAlive, killProcess } from './process-identity.js';
import { readLogTail } from './read-pod-log.js';

/** From the grace of a stop to the moment when the driver itself kills: the shim has had its chance. */
const SHIM_LATE_MS = 2000;
const SHIM_DEATH_POLL_MS = 5;
const SHIM_DEATH_ROUNDS = 400;

/** A pod as the server sees it: what its folder says, and what the world has been told of it so far. */
export class LocalPod {
  private told: PodStatus['phase'] | undefined;
  private killAt: number | undefined;
  private forcing: Promise<void> | undefined;
  private isLaunched = false;
  private isForgotten = false;
  private isBehind = false;
  private isNoted: boolean;
  private readonly waiters = new Set<() => void>();

  constructor(
    readonly folder: PodFolder,
    readonly plan: PodPlan,
    private readonly observe: (observation: Observation) => void,
  ) {
    this.isNoted = folder.isSettled;
    if (this.isNoted) this.told = 'ended';
  }

  get ref(): PodRef {
    return this.plan.pod;
  }

  get hasEnded(): boolean {
    return this.told === 'ended' || this.folder.status().phase === 'ended';
  }

  /** True when all is over and has been told. */
  get isOver(): boolean {
    return this.told === 'ended';
  }

  /** True when the ledger knows, too: only the output is still of use. */
  get isSettled(): boolean {
    return this.isNoted;
  }

  get endedAtMs(): number | undefined {
    const status = this.folder.status();
    return status.phase === 'ended' ? status.endedAtMs : undefined;
  }

  /** As found by listing. The same is observed afterwards, an end with its output. */
  seen(): PodSeen {
    const status = this.folder.status();
    const { name, pod, node } = this.plan;
    if (status.phase !== 'ended') return { name, pod, node, state: status.phase };
    const { outcome, blame, exitCode } = status.end;
    return { name, pod, node, state: 'ended', end: { outcome, blame, ...(exitCode !== undefined && { exitCode }) } };
  }

  /** Tells what has happened since the last look. The world may refuse to hear it now: then the next look tells. */
  look(): void {
    const status = this.folder.status();
    try {
      this.tellUpTo(status);
      this.isBehind = false;
    } catch {
      this.isBehind = true;
    }
    if (status.phase !== 'ended') return;
    for (const wake of this.waiters) wake();
    this.waiters.clear();
  }

  /** Makes sure that a shim runs the pod, unless it has ended: also after a launch that failed, or a restart. */
  async adopt(shimFile: string): Promise<void> {
    const claimant = this.folder.claimant();
    if (this.hasEnded || this.isLaunched) return;
    const order = this.folder.stopOrder();
    if (order !== undefined) this.requestStop(order.why, order.graceMs); // the one who asked may be gone
    if (claimant === undefined) await this.launch(shimFile);
    else if (!isAlive(claimant)) await this.endByForce(END_OF_VANISHED);
  }

  /** The ledger knows that the pod has ended: it is not told again, also not after a restart. */
  settle(): void {
    if (this.isNoted) return;
    this.isNoted = true;
    this.folder.settle();
  }

  /** The driver has stopped: whatever happens to the pod now is for the next one. */
  forget(): void {
    this.isForgotten = true;
  }

  /** Starts the shim, which claims the folder: started twice, the second one leaves at once. */
  private async launch(shimFile: string): Promise<void> {
    const log = openSync(this.folder.shimLog, 'a', 0o600);
    try {
      const shim = spawn(process.execPath, [shimFile, this.folder.path], {
        cwd: this.folder.path,
        env: inheritedEnvironment(),
        stdio: ['ignore', log, log],
        detached: true, // Ctrl-C in a terminal is for the server, which then decides about its pods
      });
      await new Promise<void>((resolve, reject) => {
        shim.once('spawn', resolve);
        shim.once('error', reject);
      });
      this.isLaunched = true;
      shim.once('exit', () => {
        this.check();
      });
      shim.unref();
    } finally {
      closeSync(log);
    }
    this.look();
  }

  /** The caller pokes the shim. A later wish may only shorten the time that is left. */
  requestStop(why: StopReason, graceMs: number): void {
    if (this.hasEnded) return;
    const before = this.folder.stopOrder();
    this.folder.writeStopOrder({ why: before?.why ?? why, graceMs: Math.min(before?.graceMs ?? graceMs, graceMs) });
    const killAt = performance.now() + graceMs + SHIM_LATE_MS;
    this.killAt = Math.min(this.killAt ?? killAt, killAt);
  }

  /** For regular calls: finds a shim that vanished while nobody had a line to it, and one that is late to stop. */
  sweep(line: 'connected' | 'silent'): void {
    if (this.isOver) return;
    const isLate = this.killAt !== undefined && performance.now() > this.killAt;
    // Not claimed yet: its shim is starting, and its exit is watched.
    if (this.isBehind || isLate || (line === 'silent' && this.folder.claimant() !== undefined)) this.check();
  }

  /** Looks after a pod whose shim is silent: it may have ended, have vanished, or be late to stop. */
  check(): void {
    if (this.isForgotten) return;
    this.look();
    if (this.hasEnded) return;
    const claimant = this.folder.claimant();
    const isWatched = claimant !== undefined && claimant.pid !== process.pid && isAlive(claimant);
    if (!isWatched) this.tryToEnd(END_OF_VANISHED);
    else if (this.killAt !== undefined && performance.now() > this.killAt) {
      this.tryToEnd(endOfForcedStop(this.folder.stopOrder()?.why ?? 'deleted'));
    }
  }

  /** What cannot be written now, e.g. to a full disk, is for the next sweep. */
  private tryToEnd(end: RecordedEnd): void {
    this.endByForce(end).catch(() => {
      this.isBehind = true;
    });
  }

  /** SIGKILL for shim and program at once. `end` is recorded unless the pod had ended before. */
  async endByForce(end: RecordedEnd): Promise<void> {
    this.forcing ??= this.force(end).finally(() => (this.forcing = undefined));
    return this.forcing;
  }

  /** True when the pod ended within the time. */
  async ended(withinMs: number): Promise<boolean> {
    this.look();
    if (this.hasEnded) return true;
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.waiters.delete(wake);
        resolve(false);
      }, withinMs);
      this.waiters.add(wake);
    });
  }

  private async force(end: RecordedEnd): Promise<void> {
    const isAlone = await this.killShim();
    const status = this.folder.status();
    if (isAlone && status.phase !== 'ended') {
      const group = status.phase === 'started' ? { group: status.group } : {};
      const isDead = await killPodProcesses({ folder: this.folder.path, cgroups: status.cgroups, ...group });
      if (!isDead) return; // no evidence, no end; the next check tries again
      removeCgroups(status.cgroups);
      const hasStarted = status.phase === 'started';
      this.folder.writeStatus({ phase: 'ended', hasStarted, endedAtMs: Date.now(), end });
    }
    this.look();
  }

  /** True when no other process can write to the folder any more. */
  private async killShim(): Promise<boolean> {
    const self = identifyProcess(process.pid);
    // With the claim in our hands, a shim that was just spawned will not start anything.
    if (self !== undefined && this.folder.claim(self)) return true;
    const shim = this.folder.claimant();
    if (shim === undefined || shim.pid === process.pid) return true;
    for (let round = 0; round < SHIM_DEATH_ROUNDS; round += 1) {
      if (!killProcess(shim, 'process')) return true;
      // The program goes with it, at once: its shim no longer holds it back from being an orphan.
      const status = this.folder.status();
      if (status.phase === 'started') killProcess(status.group, 'group');
      await new Promise((resolve) => setTimeout(resolve, SHIM_DEATH_POLL_MS));
    }
    return false;
  }

  private tellUpTo(status: PodStatus): void {
    if (this.told === undefined) this.tell('bound');
    const hasStarted = status.phase === 'started' || (status.phase === 'ended' && status.hasStarted);
    if (this.told === 'bound' && hasStarted) this.tell('started');
    if (this.told !== 'ended' && status.phase === 'ended') this.tellEnd(status.end);
  }

  private tell(phase: 'bound' | 'started'): void {
    this.observe({ kind: `pod-${phase}`, pod: this.ref });
    this.told = phase;
  }

  private tellEnd(end: RecordedEnd): void {
    const logTail = readLogTail(this.folder.path);
    this.observe({ kind: 'pod-ended', pod: this.ref, ...end, ...(logTail !== '' && { logTail }) });
    // An end is recorded when all processes are dead: that is the evidence.
    this.observe({ kind: 'pod-gone', pod: this.ref });
    this.told = 'ended';
  }
}
