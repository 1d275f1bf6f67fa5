/** SQL: the slots of a pod `p` as `slots.slots`, a list of slot shares; null when it has none. */
export const SLOTS_OF_POD = `LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('slot', s.slot, 'milli', s.milli, 'profile', s.profile,
    'position', s.position)) ORDER BY s.slot) AS slots
  FROM pod_slots s WHERE s.pod = p.name) slots ON true`;
