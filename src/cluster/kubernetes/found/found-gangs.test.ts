import { describe, expect, it } from '@jest/globals';
import { Finding, foundOf, ganged, gangOfMin, grouped, named, VIEW } from '../../../../test/support/finding.js';
import { aClaim, aPodGroup } from '../../../../test/support/kube-pods.js';
import { FoundGangs } from './found-gangs.js';

describe(FoundGangs.name, () => {
  it('tells of a pod alone once, with its team, whatever changes of it later', () => {
    const finding = new Finding().begin().put(named('p')).settle();
    expect(finding.observed).toMatchObject([
      {
        kind: 'workload-found',
        workload: 'uid-p',
        team: 'default',
        spec: { id: 'uid-p', name: 'default/p', queue: 'lab', hold: false },
        pods: { pods: [{ namespace: 'default', name: 'p', uid: 'uid-p' }] },
      },
    ]);
    finding
      .put(named('p', { other: 'label' }))
      .turn('bound', named('p'))
      .settle();
    expect(finding.observed).toHaveLength(1);
    expect(finding.gangs.podsOf('uid-p')).toEqual([{ namespace: 'default', name: 'p', uid: 'uid-p' }]);
  });

  it('tells nothing before all pods were seen, and nothing without a ledger', () => {
    const finding = new Finding().put(named('p')).settle();
    finding.gangs.begin();
    expect(finding.settle().observed).toEqual([]);
    finding.gangs.know(VIEW);
    expect(finding.settle().found).toEqual(['p']);
  });

  it('waits for the pods of a gang, says how many are missing, and then tells of all at once', () => {
    const finding = new Finding().begin().put(ganged('b', 3), ganged('a', 3)).settle();
    expect(finding.notes).toEqual(['b+a: WaitingForGang: waits for 1 of 3 pods']);
    expect(finding.put(ganged('c', 3)).settle().found).toEqual(['a+b+c']);
  });

  it('does not count a pod of a gang whose gates are closed', () => {
    const finding = new Finding().begin().put(ganged('a')).turn('gated', ganged('b')).settle();
    expect(finding.notes).toEqual(['a: WaitingForGang: waits for 1 of 2 pods']);
    expect(finding.put(ganged('b')).settle().found).toEqual(['a+b']);
  });

  it('says so when the cluster serves no pod groups', () => {
    const finding = new Finding({ podGroups: 'unknown' }).begin().put(grouped('a'), named('b')).settle();
    expect(finding.found).toEqual(['b']);
    expect(finding.notes).toEqual([expect.stringMatching(/^a: NotSupported: spec\.schedulingGroup: this cluster/)]);
  });

  it('looks again when the pod group comes, and takes those beyond its minimum alone', () => {
    const finding = new Finding().begin().put(grouped('a'), grouped('b')).settle();
    expect(finding.notes).toEqual(['a+b: WaitingForGang: waits for pod group g']);
    finding.groups.set('g', gangOfMin(2));
    finding.gangs.concern('group default/g');
    finding.settle().put(grouped('early')).settle();
    expect(finding.found).toEqual(['a+b']);
    expect(finding.notes.at(-1)).toMatch(/^early: WaitingForGang: waits until/);
    finding.turn('bound', grouped('a')).settle().put(grouped('later')).settle();
    expect(finding.found).toEqual(['a+b', 'early', 'later']);
    expect(finding.observed.at(-1)).toMatchObject({ spec: { name: 'default/later' } });
  });

  it('leaves each pod alone in a group without a gang', () => {
    const finding = new Finding().begin().put(grouped('a'), grouped('b')).settle();
    finding.groups.set('g', aPodGroup('g', { schedulingPolicy: { basic: {} } }));
    finding.gangs.concern('group default/g');
    expect(finding.settle().found).toEqual(['a', 'b']);
  });

  it('waits for a whole gang again when the one before has ended', () => {
    const finding = new Finding().begin().put(ganged('a'), ganged('b')).settle();
    finding.turn('succeeded', ganged('a'), ganged('b')).put(ganged('c')).settle();
    expect(finding.notes).toEqual(['c: WaitingForGang: waits for 1 of 2 pods']);
    expect(finding.put(ganged('d')).settle().found).toEqual(['a+b', 'c+d']);
  });

  it('counts who comes to a gang that has failed to the next one, and to one that succeeds bit by bit not', () => {
    const finding = new Finding().begin().put(ganged('a'), ganged('b')).settle();
    finding.turn('succeeded', ganged('a')).put(ganged('late')).settle();
    expect(finding.found).toEqual(['a+b', 'late']);
    const next = new Finding().begin().put(ganged('a'), ganged('b')).settle();
    next.turn('failed', ganged('a')).put(ganged('successor')).settle();
    expect(next.notes).toEqual(['successor: WaitingForGang: waits for 1 of 2 pods']);
    next.turn('leaving', ganged('b')).put(ganged('other')).settle();
    expect(next.found).toEqual(['a+b', 'withdrawn: pod default/b was deleted', 'other+successor']);
  });

  describe('queues and teams', () => {
    const cases: Record<
      string,
      {
        readonly labels: Readonly<Record<string, string>>;
        readonly namespace?: Readonly<Record<string, string>>;
        readonly want: string;
      }
    > = {
      'no queue': {
        labels: {},
        want: 'QueueNotFound: neither the pod nor its namespace has the label berth.dev/queue',
      },
      'an unknown queue': { labels: { 'berth.dev/queue': 'x' }, want: 'QueueNotFound: there is no queue x' },
      'a queue of queues': {
        labels: { 'berth.dev/queue': 'root' },
        want: 'QueueNotUsable: queue root is made of others: name one of those',
      },
      'the queue of another team': {
        labels: { 'berth.dev/queue': 'shop' },
        want: 'QueueNotUsable: queue shop belongs to team retail, and the pod is of team default',
      },
      'an unknown team': {
        labels: { 'berth.dev/queue': 'lab' },
        namespace: { 'berth.dev/team': 'x' },
        want: 'TeamNotFound: there is no team x: label the namespace with berth.dev/team',
      },
    };
    it.each(Object.entries(cases))('%s', (_title, { labels, namespace = {}, want }) => {
      const finding = new Finding();
      finding.namespaces.set('default', namespace);
      finding.begin().put(named('p', labels)).settle();
      expect(finding.notes).toEqual([`p: ${want}`]);
      expect(finding.found).toEqual([]);
    });

    it('takes the team of the queue for one that nobody knows', () => {
      const finding = new Finding();
      finding.namespaces.set('default', { 'berth.dev/queue': 'shop', 'berth.dev/team': 'x' });
      finding.begin().put(named('p')).settle();
      expect(finding.observed).toMatchObject([{ team: 'retail' }]);
    });

    it('looks again when the ledger has other queues, and when the namespace has other labels', () => {
      const finding = new Finding()
        .begin()
        .put(named('p', { 'berth.dev/queue': 'new' }), named('q'))
        .settle();
      finding.namespaces.set('other', {});
      finding.put({ metadata: { name: 'r', namespace: 'other' } }).settle();
      expect(finding.found).toEqual(['q']);
      const queues = [...VIEW.queues, { name: 'new', isLeaf: true }];
      finding.gangs.know({ ...VIEW, queues, found: finding.toldOf });
      expect(finding.settle().found).toEqual(['q', 'p']);
      finding.namespaces.set('other', { 'berth.dev/queue': 'lab', 'berth.dev/team': 'retail' });
      finding.gangs.concern('namespace other');
      expect(finding.settle().found).toEqual(['q', 'p', 'r']);
    });
  });

  it('says each thing once, until it is another', () => {
    const finding = new Finding()
      .begin()
      .put(named('p', { 'berth.dev/queue': 'x' }))
      .settle();
    finding.put(named('p', { 'berth.dev/queue': 'x', other: 'label' })).settle();
    finding.gangs.know({ ...VIEW, teams: [...VIEW.teams, 'more'] });
    expect(finding.settle().notes).toHaveLength(1);
    expect(finding.put(named('p', { 'berth.dev/queue': 'y' })).settle().notes).toHaveLength(2);
  });

  it('looks again when a claim or the devices of nodes have changed', () => {
    const claimed = { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] };
    const gpu = { containers: [{ name: 'c', resources: { requests: { 'nvidia.com/gpu': '1' } } }] };
    const finding = new Finding().begin();
    finding.put({ metadata: { name: 'p' }, spec: claimed }, { metadata: { name: 'q' }, spec: gpu }).settle();
    expect(finding.notes).toEqual([
      'p: VolumeNotUsable: spec.volumes[0].persistentVolumeClaim: there is no claim c',
      'q: Unschedulable: spec.resources.requests[nvidia.com/gpu]: no flavor has nodes with this resource',
    ]);
    finding.claims.set('c', aClaim('c', undefined));
    finding.gangs.concern('claim default/c');
    expect(finding.settle().notes.at(-1)).toContain('claim c is not bound');
    finding.devices = ['h100'];
    finding.gangs.concern('devices');
    expect(finding.settle().found).toEqual(['q']);
  });

  describe('withdrawals', () => {
    it('withdraws a workload when one of its pods is deleted, and tells of its successors', () => {
      const finding = new Finding().begin().put(ganged('a'), ganged('b')).settle();
      finding.turn('leaving', ganged('b')).settle().remove('leaving', ganged('b')).settle();
      expect(finding.found).toEqual(['a+b', 'withdrawn: pod default/b was deleted']);
      finding.put({ metadata: { ...ganged('b').metadata, uid: 'successor' } }).settle();
      expect(finding.found.slice(2)).toEqual(['a+b']);
      const ids = finding.observed.map((one) => ('workload' in one ? one.workload : ''));
      expect(new Set(ids).size).toBe(2);
      expect(ids[1]).toBe(ids[0]);
    });

    it('takes none back for a pod that has ended, however it goes then', () => {
      const finding = new Finding().begin().put(ganged('a'), ganged('b')).settle();
      finding.turn('bound', ganged('a'), ganged('b')).turn('succeeded', ganged('a')).settle();
      finding.remove('succeeded', ganged('a')).remove('succeeded', ganged('b')).settle();
      expect(finding.found).toEqual(['a+b']);
    });

    it('withdraws at once what was deleted while nobody looked', () => {
      const finding = new Finding().put(named('b')).begin({ ...VIEW, found: [foundOf('a', 'b')] });
      expect(finding.found).toEqual(['withdrawn: pod default/a was deleted', 'b']);
    });

    it('makes another of the pods that still wait when one has ended, once their gang is whole again', () => {
      const finding = new Finding().begin().put(ganged('a'), ganged('b')).settle();
      finding.turn('bound', ganged('a')).settle();
      finding.gangs.release(finding.toldOf[0]?.workload ?? '');
      expect(finding.remove('bound', ganged('a')).settle().found).toEqual(['a+b']);
      expect(finding.notes.at(-1)).toBe('b: WaitingForGang: waits for 1 of 2 pods');
      expect(finding.put(ganged('c')).settle().found).toEqual(['a+b', 'b+c']);
    });

    it('says that a pod is placed once when it waits alone, and its workload has ended', () => {
      const finding = new Finding().begin().put(named('a')).settle();
      finding.gangs.release('uid-a');
      expect(finding.settle().found).toEqual(['a']);
      expect(finding.notes.at(-1)).toContain('a: WorkloadEnded: its workload has ended');
    });

    it('withdraws that of a pod which runs without the ledger', () => {
      const [pod] = foundOf('a').pods.pods;
      const runs = 'withdrawn: pod default/a was bound when it was no more to be, and runs on';
      const finding = new Finding().begin().put(named('a')).settle().turn('bound', named('a'));
      if (pod !== undefined) finding.gangs.leave(pod);
      expect(finding.settle().found).toEqual(['a', runs]);
      const restarted = new Finding().turn('bound', named('a'));
      if (pod !== undefined) restarted.gangs.leave(pod);
      expect(restarted.begin({ ...VIEW, found: [foundOf('a')] }).found).toEqual([runs]);
    });

    it('takes none back after a restart for a pod that has ended', () => {
      const finding = new Finding().turn('succeeded', named('a'), named('c')).turn('bound', named('b'));
      finding.begin({ ...VIEW, found: [foundOf('a', 'b'), { ...foundOf('c'), workload: 'v' }] });
      expect(finding.found).toEqual([]);
      expect(finding.turn('leaving', named('b')).settle().found).toEqual(['withdrawn: pod default/b was deleted']);
    });
  });

  it('goes on after a restart with what an earlier server has told', () => {
    const finding = new Finding().put(ganged('a'), named('other')).turn('bound', ganged('b'));
    finding.begin({ ...VIEW, found: [foundOf('a', 'b')] });
    expect(finding.found).toEqual(['other']);
    expect(finding.gangs.podsOf('w').map(({ name }) => name)).toEqual(['a', 'b']);
    expect(finding.put(ganged('late')).settle().found).toEqual(['other', 'late']);
    expect(finding.turn('leaving', ganged('b')).settle().found).toContain('withdrawn: pod default/b was deleted');
  });

  it('lets pods come to a gang of one after a restart, whichever of those before has ended or waits', () => {
    const finding = new Finding().turn('bound', grouped('a')).put(grouped('b'));
    finding.groups.set('g', gangOfMin(1));
    const found = ['a', 'b'].map((name) => ({ ...foundOf(name), workload: name }));
    finding
      .begin({ ...VIEW, found })
      .put(grouped('c'))
      .settle();
    expect(finding.found).toEqual(['c']);
    expect(finding.notes).toEqual([]);
    finding.gangs.release('b');
    expect(finding.put(grouped('d')).settle().found).toEqual(['c', 'b', 'd']);
  });

  it('tells again of what the ledger has not noted, once it says what it has, and of what runs not', () => {
    const finding = new Finding().begin().put(named('lost'), named('noted'), named('runs')).settle();
    finding.turn('bound', named('runs')).settle();
    const found = finding.toldOf.filter(({ pods }) => pods['pods']?.[0]?.name === 'noted');
    finding.gangs.know({ ...VIEW, found });
    expect(finding.settle().found).toEqual(['lost', 'noted', 'runs', 'lost']);
  });

  it('tells at a later look what could not be told', () => {
    const finding = new Finding().begin().put(named('a'), named('b')).settle();
    finding.isFull = true;
    finding.put(named('c'), named('d')).turn('leaving', named('a')).settle();
    expect(() => {
      finding.gangs.look();
    }).toThrow('full');
    finding.isFull = false;
    finding.gangs.look();
    expect(finding.found.slice(0, 3)).toEqual(['a', 'b', 'withdrawn: pod default/a was deleted']);
    expect(finding.found.slice(3).sort()).toEqual(['c', 'd']);
  });

  it('is silent when it was stopped', () => {
    const finding = new Finding().begin().put(named('a'));
    finding.gangs.stop();
    expect(finding.put(named('b')).settle().observed).toEqual([]);
    expect(finding.timers.alarmsSet).toBe(0);
  });

  it('looks once at each of 10,000 pods, a few in a turn, and then only at what changes', () => {
    const finding = new Finding().begin();
    for (let each = 0; each < 10_000; each += 1) finding.put(named(`p${each}`));
    finding.timers.advance(99);
    expect(finding.found).toEqual([]);
    const before = finding.looks;
    finding.settle();
    expect(finding.found).toHaveLength(10_000);
    const looksOfOne = (finding.looks - before) / 10_000;
    expect(looksOfOne).toBeLessThanOrEqual(2);
    finding.put(named('one')).settle();
    expect(finding.looks - before).toBe(looksOfOne * 10_001);
  });
});
