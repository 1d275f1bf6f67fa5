import type { ControlPlane } from '../../kubernetes/rig/control-plane.js';

/** When pods of a namespace are bound, as a watcher sees it. */
export class BindWatch {
  private readonly bound = new Set<string>();
  private readonly stopping = new AbortController();
  private watching: Promise<void> = Promise.resolve();
  firstMs = 0;
  lastMs = 0;

  static async begin(plane: ControlPlane, namespace: string): Promise<BindWatch> {
    const binds = new BindWatch();
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const { metadata } = await plane.api.ask<{ metadata: { resourceVersion: string } }>({ method: 'GET', path });
    binds.watching = binds.watch(plane, path, metadata.resourceVersion);
    binds.watching.catch(() => undefined); // `end` says it
    return binds;
  }

  get count(): number {
    return this.bound.size;
  }

  async end(): Promise<void> {
    this.stopping.abort();
    await this.watching;
  }

  /** The API server ends a watch now and then: it goes on where that was. */
  private async watch(plane: ControlPlane, path: string, from: string): Promise<void> {
    let resourceVersion = from;
    const { signal } = this.stopping;
    const see = (line: string): void => {
      // Those of the pod itself come before those of any other.
      resourceVersion = /"resourceVersion":"(\d+)"/.exec(line)?.[1] ?? resourceVersion;
      if (/"nodeName":"/.test(line)) this.see(/"uid":"([^"]+)"/.exec(line)?.[1] ?? '');
    };
    while (!signal.aborted) {
      await plane.api.follow(`${path}?watch=true&resourceVersion=${resourceVersion}`, see, signal);
    }
  }

  private see(uid: string): void {
    if (this.bound.has(uid)) return;
    this.bound.add(uid);
    this.lastMs = performance.now();
    if (this.bound.size === 1) this.firstMs = this.lastMs;
  }
}
