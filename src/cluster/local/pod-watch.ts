import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setPriority } from 'node:os';
import { LogWriter } from './log-segments.js';
import { niceFor } from './nice-for.js';
import { PodCgroup, removeCgroups } from './pod-cgroup.js';
import {
  endOfForcedStop,
  podEndOf,
  type OutOfMemory,
  type ProgramEnd,
  type RecordedEnd,
  type StopReason,
} from './pod-end.js';
import { readFence, type PodFolder } from './pod-folder.js';
import type { PodPlan } from './pod-plan.js';
import { FOLDER_VARIABLE, groupMemoryMib, killPodProcesses } from './pod-processes.js';
import { identifyProcess, sendSignal, type ProcessIdentity } from './process-identity.js';
import { readWords } from './shim-line.js';

const TICK_MS = 250;
/** Output still in the pipes when the program has ended is waited for, but not for ever. */
const DRAIN_MS = 1000;
const GOODBYE_MS = 500;
/** Looking through all processes may cost one per cent of a core. */
const MEMORY_POLL_MS_MIN = 500;
const MEMORY_POLL_COST = 100;
/** When the machine runs out of memory, pods go before servers. */
const OOM_SCORE = 500;

/** One pod from its claim to its recorded end. Time is monotonic here: a corrected clock must not kill pods. */
export class PodWatch {
  private readonly cgroup: PodCgroup | undefined;
  private readonly log: LogWriter;
  private child: ChildProcess | undefined;
  private group: ProcessIdentity | undefined;
  private socket: Socket | undefined;
  /** Since when no server has said welcome; undefined while one is there. */
  private aloneSince: number | undefined = performance.now();
  private stopped: StopReason | undefined;
  private killTimer: { readonly timer: NodeJS.Timeout; readonly at: number } | undefined;
  private outOfMemory: OutOfMemory | undefined;
  private nextMemoryPoll = 0;
  private isEnding = false;
  private ticker: NodeJS.Timeout | undefined;

  constructor(
    private readonly folder: PodFolder,
    private readonly plan: PodPlan,
  ) {
    this.log = new LogWriter(folder.path);
    this.cgroup = plan.cgroups === 'auto' ? PodCgroup.open(cgroupName(folder.path), plan) : undefined;
  }

  run(): void {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        this.stop('server-gone', this.plan.orphanGraceMs);
      });
    }
    // A defect of the shim must not leave a program behind that nobody watches.
    process.on('exit', () => {
      if (this.group !== undefined && !this.isEnding) sendSignal(-this.group.pid, 'SIGKILL');
    });
    this.folder.writeStatus({ phase: 'bound', cgroups: this.cgroups });
    this.reachServer();
    this.ticker = setInterval(() => {
      this.tick();
    }, TICK_MS);
    const order = this.folder.stopOrder();
    if (this.isSuperseded()) void this.end(endOfForcedStop('superseded'));
    else if (order !== undefined) void this.end(endOfForcedStop(order.why));
    else this.startProgram();
  }

  private get cgroups(): readonly string[] {
    return this.cgroup?.paths ?? [];
  }

  private startProgram(): void {
    const child = this.spawnProgram();
    if (child === undefined) return;
    this.child = child;
    child.on('error', (error) => {
      if (this.group === undefined) void this.endBy(failureToStart(error));
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      this.log.write(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.log.write(chunk);
    });
    child.on('exit', (code, signal) => {
      void this.endBy(signal === null ? { kind: 'exited', code: code ?? 1 } : { kind: 'signalled', signal });
    });
    if (child.pid === undefined) return; // 'error' follows
    this.group = identifyProcess(child.pid) ?? { pid: child.pid, birth: 'ended' };
    this.share(child.pid);
    this.folder.writeStatus({ phase: 'started', cgroups: this.cgroups, group: this.group });
    this.say('look');
  }

  private spawnProgram(): ChildProcess | undefined {
    const [program = '', ...parameters] = this.plan.command;
    const start = (): ChildProcess =>
      spawn(program, parameters, {
        cwd: this.folder.workFolder,
        env: { ...this.plan.environment, [FOLDER_VARIABLE]: this.folder.path },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true, // a session and process group of its own: one signal reaches all of it
      });
    try {
      return this.cgroup === undefined ? start() : this.cgroup.inside(start);
    } catch (error) {
      void this.endBy(failureToStart(error));
      return undefined;
    }
  }

  /** What can be done for fairness without control groups; each only where the system allows it. */
  private share(pid: number): void {
    const nice = niceFor(this.plan.cpuMilli);
    const attempts = [
      () => {
        if (this.cgroup?.limits('cpu') !== true) setPriority(pid, nice);
      },
      // A session is scheduled as one where the kernel groups by session, and then its niceness counts.
      () => {
        if (this.cgroup?.limits('cpu') !== true) writeFileSync(`/proc/${pid}/autogroup`, String(nice), { flag: 'r+' });
      },
      () => {
        writeFileSync(`/proc/${pid}/oom_score_adj`, String(OOM_SCORE), { flag: 'r+' });
      },
    ];
    for (const attempt of attempts) {
      try {
        attempt();
      } catch {
        // not on this system
      }
    }
  }

  private tick(): void {
    if (this.isEnding) return;
    if (this.isSuperseded()) this.stop('superseded', 0);
    if (this.aloneSince !== undefined) {
      this.reachServer();
      const alone = performance.now() - this.aloneSince;
      if (alone >= this.plan.adoptWithinMs) this.stop('server-gone', this.plan.orphanGraceMs);
    }
    this.checkMemory();
  }

  private isSuperseded(): boolean {
    return readFence(this.plan.fence) > this.plan.pod.incarnation;
  }

  private checkMemory(): void {
    if (this.group === undefined || this.outOfMemory !== undefined) return;
    this.outOfMemory =
      this.cgroup?.limits('memory') === true ? this.cgroup.outOfMemory(this.plan.memoryMib) : this.poll();
    if (this.outOfMemory !== undefined) this.kill();
  }

  private poll(): OutOfMemory | undefined {
    const now = performance.now();
    if (this.group === undefined || now < this.nextMemoryPoll) return undefined;
    const usedMib = groupMemoryMib(this.group.pid);
    const cost = performance.now() - now;
    this.nextMemoryPoll = now + Math.max(MEMORY_POLL_MS_MIN, cost * MEMORY_POLL_COST);
    const limitMib = this.plan.memoryMib;
    return usedMib !== undefined && usedMib > limitMib ? { usedMib, limitMib } : undefined;
  }

  private reachServer(): void {
    if (this.socket !== undefined) return;
    const socket = connect(this.plan.socket);
    this.socket = socket;
    socket.on('connect', () => {
      socket.write(`hello ${this.plan.name}\n`);
    });
    socket.on('error', () => socket.destroy()); // followed by 'close'
    socket.on('close', () => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      this.aloneSince ??= performance.now();
    });
    readWords(socket, (word) => {
      this.hear(word);
    });
  }

  private hear(word: string): void {
    if (word === 'unknown') this.stop('server-gone', this.plan.orphanGraceMs);
    if (word === 'welcome') this.aloneSince = undefined;
    // Also at the welcome: the order may have been written while the line was down.
    const order = this.folder.stopOrder();
    if (order !== undefined) this.stop(order.why, order.graceMs);
  }

  private say(word: 'look'): void {
    if (this.aloneSince === undefined) this.socket?.write(`${word}\n`);
  }

  /** The first reason counts; the earliest deadline counts. */
  private stop(why: StopReason, graceMs: number): void {
    const isFirst = this.stopped === undefined;
    this.stopped ??= why;
    if (this.isEnding || this.group === undefined) return;
    if (graceMs === 0) {
      this.kill();
      return;
    }
    const at = performance.now() + graceMs;
    if (this.killTimer === undefined || at < this.killTimer.at) {
      clearTimeout(this.killTimer?.timer);
      const timer = setTimeout(() => {
        this.kill();
      }, graceMs);
      this.killTimer = { timer, at };
    }
    if (isFirst) sendSignal(-this.group.pid, 'SIGTERM');
  }

  private kill(): void {
    // 'exit' follows and cleans up; until then the program is our child, so its pid cannot be another's.
    if (this.group !== undefined && !this.isEnding) sendSignal(-this.group.pid, 'SIGKILL');
  }

  private async endBy(exit: ProgramEnd['exit']): Promise<void> {
    // The kernel may have killed it between two ticks.
    this.outOfMemory ??= this.cgroup?.outOfMemory(this.plan.memoryMib);
    const { stopped, outOfMemory } = this;
    await this.end(
      podEndOf(
        { exit, ...(stopped !== undefined && { stopped }), ...(outOfMemory !== undefined && { outOfMemory }) },
        this.plan.program,
      ),
    );
  }

  /** As in a container, nothing outlives the first process. The end is recorded when all of the pod is gone. */
  private async end(end: RecordedEnd): Promise<void> {
    if (this.isEnding) return;
    if (this.group !== undefined) sendSignal(-this.group.pid, 'SIGKILL');
    this.isEnding = true;
    clearInterval(this.ticker);
    clearTimeout(this.killTimer?.timer);
    while (!(await killPodProcesses({ folder: this.folder.path, cgroups: this.cgroups })));
    await this.drain();
    this.log.close();
    removeCgroups(this.cgroups);
    const hasStarted = this.group !== undefined;
    this.folder.writeStatus({ phase: 'ended', hasStarted, endedAtMs: Date.now(), end });
    this.say('look');
    this.socket?.end();
    setTimeout(() => process.exit(0), GOODBYE_MS).unref();
  }

  private async drain(): Promise<void> {
    const pipes = [this.child?.stdout, this.child?.stderr].filter((pipe) => pipe !== null && pipe !== undefined);
    const open = pipes.filter((pipe) => !pipe.closed);
    const closed = Promise.all(open.map((pipe) => new Promise((resolve) => pipe.once('close', resolve))));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, DRAIN_MS)));
    await Promise.race([closed, late]);
    clearTimeout(timer);
    for (const pipe of pipes) pipe.destroy();
  }
}

function failureToStart(error: unknown): ProgramEnd['exit'] {
  const errorCode = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
  return { kind: 'not-started', errorCode, message: error instanceof Error ? error.message : String(error) };
}

/** A name that no other pod on this machine has; the folder is the pod's for ever. */
function cgroupName(folder: string): string {
  return `berth-${createHash('sha256').update(folder).digest('hex').slice(0, 24)}`;
}
