/** One verb on one kind of resource. `public` needs no token. */
export const PERMISSIONS = [
  'public',
  'workloads:read',
  'workloads:create',
  'workloads:cancel',
  'queues:read',
  'teams:read',
  'nodes:read',
  'nodes:operate',
  'events:read',
  'session:read',
  'session:code',
  'status:report',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** `team`: only what belongs to the caller's own team; `own`: of that only what the caller made. */
export type Scope = 'all' | 'team' | 'own';

export const ROLES = ['viewer', 'member', 'lead', 'capacity-manager', 'sre', 'operator'] as const;
export type Role = (typeof ROLES)[number];

const READ_ALL = {
  'workloads:read': 'all',
  'queues:read': 'all',
  'teams:read': 'all',
  'nodes:read': 'all',
  'events:read': 'all',
  'session:read': 'all',
} as const satisfies Partial<Record<Permission, Scope>>;

const READ_TEAM = { ...READ_ALL, 'workloads:read': 'team', 'events:read': 'team' } as const;

/** Role → verb → scope; what is not written is refused. */
export const GRANTS: Readonly<Record<Role, Partial<Record<Permission, Scope>>>> = {
  viewer: READ_TEAM,
  member: { ...READ_TEAM, 'workloads:create': 'team', 'workloads:cancel': 'own' },
  lead: { ...READ_TEAM, 'workloads:create': 'team', 'workloads:cancel': 'team' },
  'capacity-manager': READ_ALL,
  sre: { ...READ_ALL, 'nodes:operate': 'all', 'session:code': 'all' },
  operator: {
    ...READ_ALL,
    'workloads:create': 'all',
    'workloads:cancel': 'all',
    'nodes:operate': 'all',
    'session:code': 'all',
  },
};
