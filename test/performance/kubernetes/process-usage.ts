import { readFileSync, readdirSync } from 'node:fs';

/** Linux counts so many ticks a second, whatever the machine (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;
const KIB_PER_MIB = 1024;

export interface Usage {
  readonly cpuMs: number;
  readonly residentMib: number;
}

/** What a process and all that it started have used so far. */
export function usageOf(pid: number): Usage {
  const sum = { cpuMs: 0, residentMib: 0 };
  for (const each of familyOf(pid)) {
    const usage = ownUsage(each);
    sum.cpuMs += usage?.cpuMs ?? 0;
    sum.residentMib += usage?.residentMib ?? 0;
  }
  return sum;
}

export function ownUsage(pid: number): Usage | undefined {
  try {
    // After the name, which may hold anything: fields 14 and 15 of proc(5) are the ticks of user and kernel.
    const [, fields = ''] = /\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const values = fields.split(' ');
    const ticks = Number(values[11]) + Number(values[12]);
    const [, resident = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return { cpuMs: (ticks * 1000) / TICKS_PER_SECOND, residentMib: Number(resident) / KIB_PER_MIB };
  } catch {
    return undefined; // it has ended meanwhile
  }
}

function familyOf(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const [, fields = ''] = /\) (.*)/s.exec(readFileSync(`/proc/${entry}/stat`, 'utf8')) ?? [];
      parents.set(Number(entry), Number(fields.split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const family = [pid];
  for (const member of family) for (const [child, parent] of parents) if (parent === member) family.push(child);
  return family;
}
