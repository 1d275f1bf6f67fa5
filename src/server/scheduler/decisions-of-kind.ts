import type { Decision } from '../../core/index.js';

export type Of<Kind extends Decision['kind']> = Extract<Decision, { readonly kind: Kind }>;

export function ofKind<Kind extends Decision['kind']>(decisions: readonly Decision[], kind: Kind): readonly Of<Kind>[] {
  return decisions.filter((decision): decision is Of<Kind> => decision.kind === kind);
}
