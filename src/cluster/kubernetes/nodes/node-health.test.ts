import { beforeEach, describe, expect, it } from '@jest/globals';
import type { KubeLease, KubeNode } from '../kube-types.js';
import { NodeHealth, type NodeVerdict } from './node-health.js';

const STEP_MS = 2000;

let health: NodeHealth;
let nowMs: number;
let renewals: number;
let said: string[];
/** The lease as the server has it, which Berth need not have heard of. */
let lease: KubeLease;

beforeEach(() => {
  health = new NodeHealth();
  nowMs = 5_000_000;
  renewals = 0;
  said = [];
  lease = aLease(0, 40);
  health.hear(nowMs);
  health.seeLease(lease);
  say(health.seeNode(aNode()));
});

function aNode({ ready = 'True', bootId = 'boot-1', message = '' } = {}): KubeNode {
  return {
    metadata: { name: 'a', uid: 'uid-a' },
    status: { conditions: [{ type: 'Ready', status: ready, message }], nodeInfo: { bootID: bootId } },
  };
}

function aLease(number: number, seconds: number): KubeLease {
  // A node with a clock of its own: years back.
  const renewTime = `2001-01-01T00:00:${String(number).padStart(2, '0')}.000000Z`;
  return { metadata: { name: 'a' }, spec: { renewTime, leaseDurationSeconds: seconds } };
}

function say(verdicts: readonly NodeVerdict[]): void {
  for (const verdict of verdicts) said.push(verdict.kind === 'node-fenced' ? 'fenced' : verdict.state);
}

function renew(seconds = 40): void {
  renewals += 1;
  lease = aLease(renewals, seconds);
  say(health.seeLease(lease));
}

/** Time passes; Berth hears the server, and asks it about whoever is overdue. */
function pass(seconds: number): void {
  const untilMs = nowMs + seconds * 1000;
  while (nowMs < untilMs) {
    nowMs = Math.min(untilMs, nowMs + STEP_MS);
    health.hear(nowMs);
    for (const name of health.overdue()) say(health.confirm(name, lease));
  }
}

/** Time passes in which the server does not answer. */
function passCutOff(seconds: number): void {
  for (let second = 0; second < seconds; second += 1) health.miss();
  nowMs += seconds * 1000;
}

/** Healthy, as after some time of its life. */
function live(): void {
  for (let count = 0; count < 3; count += 1) {
    pass(10);
    renew();
  }
  expect(said).toEqual(['healthy']);
  said = [];
}

describe('a node that renews its lease', () => {
  it('is healthy from the first renewal that was seen, and nothing more is said of it', () => {
    expect(said).toEqual([]);
    live();
    pass(10);
    renew();
    expect(said).toEqual([]);
  });

  it('is judged by when a renewal was seen, not by its own clock', () => {
    live();
    renewals = 40;
    for (let count = 0; count < 12; count += 1) {
      pass(10);
      renewals -= 2; // its clock runs backwards
      renew();
    }
    expect(said).toEqual([]);
  });

  it('may renew ever so late, short of two', () => {
    live();
    for (let count = 0; count < 5; count += 1) {
      pass(20);
      renew();
    }
    expect(said).toEqual([]);
  });
});

describe('a node that falls silent', () => {
  it('is suspect within 25 s, and lost after 60 s', () => {
    live();
    pass(20);
    expect(said).toEqual([]);
    pass(5);
    expect(said).toEqual(['suspect']);
    pass(34);
    expect(said).toEqual(['suspect']);
    pass(3);
    expect(said).toEqual(['suspect', 'lost']);
    pass(600);
    expect(said).toEqual(['suspect', 'lost']);
  });

  it('has the patience that its lease has', () => {
    for (let count = 0; count < 3; count += 1) {
      pass(100);
      renew(400);
    }
    said = [];
    pass(218);
    expect(said).toEqual([]);
    pass(4);
    expect(said).toEqual(['suspect']);
    pass(380);
    expect(said).toEqual(['suspect', 'lost']);
  });

  it('is suspect even when it was never heard', () => {
    pass(25);
    expect(said).toEqual(['suspect']);
  });

  it('is not silent when only the watch is: its lease is read first', () => {
    live();
    for (let count = 0; count < 10; count += 1) {
      pass(8);
      lease = aLease(50 - count, 40); // renewed, and the watch has not told of it
    }
    expect(said).toEqual([]);
  });

  it('is healthy again after two renewals', () => {
    live();
    pass(30);
    renew();
    expect(said).toEqual(['suspect']);
    pass(10);
    renew();
    expect(said).toEqual(['suspect', 'healthy']);
  });

  it('is suspect while it is not certain that it came back, and healthy then, without a proof that its pods are gone', () => {
    live();
    pass(70);
    renew();
    expect(said).toEqual(['suspect', 'lost', 'suspect']);
    pass(10);
    renew();
    say(health.seeNode(aNode()));
    expect(said).toEqual(['suspect', 'lost', 'suspect', 'healthy']);
  });

  it('is fenced when it comes back with another boot', () => {
    live();
    pass(70);
    said = [];
    say(health.seeNode(aNode({ bootId: 'boot-2' })));
    say(health.seeNode(aNode({ bootId: 'boot-2' })));
    renew();
    pass(10);
    renew();
    expect(said).toEqual(['fenced', 'suspect', 'healthy']);
  });

  it('is not fenced by a boot that nobody missed, nor by one that is not told', () => {
    live();
    say(health.seeNode(aNode({ bootId: 'boot-2' })));
    pass(70);
    said = [];
    say(health.seeNode(aNode({ bootId: '' })));
    expect(said).toEqual([]);
  });
});

describe('Berth, cut off from the API server', () => {
  it('does not change the state of any node, however long it lasts', () => {
    live();
    passCutOff(3600);
    pass(8);
    renew();
    pass(10);
    renew();
    expect(said).toEqual([]);
  });

  it('goes on with the silence that it has heard', () => {
    live();
    pass(12);
    passCutOff(300);
    pass(8);
    expect(said).toEqual([]);
    pass(6);
    expect(said).toEqual(['suspect']);
  });

  it('does not count the time in which its own process stood still', () => {
    live();
    nowMs += 120_000;
    pass(10);
    expect(said).toEqual([]);
  });
});

describe('a node that says that it is not ready', () => {
  it('is suspect at once, with its words, and healthy as soon as it is ready', () => {
    live();
    const [verdict] = health.seeNode(aNode({ ready: 'False', message: 'container runtime is down' }));
    expect(verdict).toEqual({
      kind: 'node-state-changed',
      node: 'a',
      state: 'suspect',
      cause: 'it is not ready: container runtime is down',
    });
    say(health.seeNode(aNode()));
    expect(said).toEqual(['healthy']);
  });

  it('may be silent, too', () => {
    live();
    pass(25);
    say(health.seeNode(aNode({ ready: 'Unknown' })));
    pass(40);
    expect(said).toEqual(['suspect', 'lost']);
  });
});

describe('a node without a lease', () => {
  it('is believed by its word alone', () => {
    const other = { ...aNode(), metadata: { name: 'b', uid: 'uid-b' } };
    say(health.seeNode(other));
    expect(said).toEqual(['healthy']);
    pass(20);
    renew();
    expect(health.overdue()).toEqual([]);
  });
});

describe('a node that is removed', () => {
  it('begins anew when it is seen again', () => {
    live();
    health.removeNode('a');
    pass(100);
    expect(said).toEqual([]);
    say(health.seeNode(aNode()));
    pass(10);
    renew();
    expect(said).toEqual(['healthy']);
  });
});
