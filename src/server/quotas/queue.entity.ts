import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('teams')
export class TeamEntity {
  @PrimaryColumn('text')
  name!: string;

  @Column('text')
  title!: string;

  @Column({ type: 'timestamptz', name: 'created_at', insert: false, update: false })
  createdAt!: Date;
}

@Entity('flavors')
export class FlavorEntity {
  @PrimaryColumn('text')
  name!: string;

  @Column('text', { nullable: true })
  model!: string | null;

  @Column('jsonb', { name: 'node_labels' })
  nodeLabels!: Record<string, string>;
}

@Entity('queues')
export class QueueEntity {
  @PrimaryColumn('text')
  name!: string;

  @Column('text', { nullable: true })
  parent!: string | null;

  @Column('text', { nullable: true })
  team!: string | null;

  @Column('integer')
  weight!: number;

  @Column('text')
  reclaim!: 'any' | 'lowerPriority' | 'never';

  @Column('text', { name: 'within_queue' })
  withinQueue!: 'lowerPriority' | 'never';
}

/** Amounts are `bigint` in the table and safe integers here. */
const MILLI = {
  from: (value: string | null) => (value === null ? null : Number(value)),
  to: (value: unknown) => value,
};

@Entity('queue_quotas')
export class QueueQuotaEntity {
  @PrimaryColumn('text')
  queue!: string;

  @PrimaryColumn('text')
  flavor!: string;

  @Column('bigint', { transformer: MILLI })
  nominal!: number;

  @Column('bigint', { name: 'borrowing_limit', nullable: true, transformer: MILLI })
  borrowingLimit!: number | null;

  @Column('bigint', { name: 'lending_limit', nullable: true, transformer: MILLI })
  lendingLimit!: number | null;

  @Column('bigint', { name: 'max_per_workload', nullable: true, transformer: MILLI })
  maxPerWorkload!: number | null;
}
