import type { NodeName } from '../../core/index.js';
import { readJson, writeAtomically } from './pod-folder.js';
import { isRecord, isText } from './pod-plan.js';

/** Which nodes have been failed, and which there were at the last start; both outlive the server. */
export class NodeRegister {
  private readonly failed = new Set<NodeName>();
  private readonly known = new Set<NodeName>();

  constructor(private readonly file: string) {
    const stored = readJson(file);
    if (!isRecord(stored)) return;
    for (const name of namesOf(stored.failed)) this.failed.add(name);
    for (const name of namesOf(stored.known)) this.known.add(name);
  }

  isFailed(node: NodeName): boolean {
    return this.failed.has(node);
  }

  fail(node: NodeName): void {
    this.failed.add(node);
    this.save();
  }

  restore(node: NodeName): void {
    this.failed.delete(node);
    this.save();
  }

  /** Remembers the nodes of today and returns those that are gone since the last time. */
  replace(nodes: readonly NodeName[]): readonly NodeName[] {
    const removed = [...this.known].filter((name) => !nodes.includes(name));
    for (const name of removed) {
      this.known.delete(name);
      this.failed.delete(name);
    }
    for (const name of nodes) this.known.add(name);
    this.save();
    return removed;
  }

  private save(): void {
    writeAtomically(this.file, JSON.stringify({ failed: [...this.failed], known: [...this.known] }));
  }
}

function namesOf(value: unknown): readonly NodeName[] {
  return Array.isArray(value) ? value.filter(isText) : [];
}
