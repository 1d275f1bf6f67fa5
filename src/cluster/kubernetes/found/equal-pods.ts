import type { LabelSelector, PodSetSpec } from '../../../core/index.js';
import type { PodObject } from '../reading/pod-object.js';
import type { PodReading } from '../reading/pod-set-of.js';

interface Member {
  readonly pod: PodObject;
  readonly reading: PodReading;
}

export interface EqualPods {
  readonly podSet: PodSetSpec;
  /** Their names, in the order in which they came. */
  readonly pods: readonly string[];
}

/**
 * Pods of a gang that are one pod set. Labels in which they differ, such as an index that a controller gave each of
 * them, are left out, so that nobody sees pods of the gang by them; unless a rule of theirs looks at such a label.
 */
export function equalPods(members: readonly Member[]): readonly EqualPods[] {
  const looked = new Set(members.flatMap(({ reading }) => selectorsOf(reading.podSet).flatMap(keysOf)));
  const kinds = new Map<string, { readonly members: Member[] }>();
  for (const member of members) {
    const { labels = {}, ...rest } = member.reading.podSet;
    const looksAt = [...looked].map((key) => labels[key] ?? null);
    const key = JSON.stringify([rest, looksAt]);
    const kind = kinds.get(key) ?? { members: [] };
    kind.members.push(member);
    kinds.set(key, kind);
  }
  return [...kinds.values()].flatMap(({ members: equal }) => {
    const [first] = equal;
    if (first === undefined) return [];
    const podSet = { ...first.reading.podSet, labels: commonLabels(equal) };
    return [{ podSet, pods: equal.map(({ pod }) => pod.metadata.name) }];
  });
}

function commonLabels([first, ...others]: readonly Member[]): Readonly<Record<string, string>> {
  const entries = Object.entries(first?.reading.podSet.labels ?? {});
  return Object.fromEntries(
    entries.filter(([key, value]) => others.every(({ reading }) => reading.podSet.labels?.[key] === value)),
  );
}

function selectorsOf({ podAffinity, podAntiAffinity, topologySpread = [] }: PodSetSpec): readonly LabelSelector[] {
  const affinities = [podAffinity, podAntiAffinity].flatMap((affinity) => [
    ...(affinity?.required ?? []),
    ...(affinity?.preferred ?? []).map(({ term }) => term),
  ]);
  return [...affinities, ...topologySpread].map(({ selector }) => selector);
}

function keysOf(selector: LabelSelector): readonly string[] {
  return selector.map(({ key }) => key);
}
