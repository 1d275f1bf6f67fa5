import { Column, Entity, PrimaryColumn } from 'typeorm';

/** `access` tokens are shown once, `session` ones live in a cookie, `code` ones are swapped for a session, once. */
@Entity('tokens')
export class TokenEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  kind!: 'access' | 'session' | 'code';

  @Column('text')
  name!: string;

  @Column('bytea')
  hash!: Buffer;

  @Column('text')
  role!: string;

  @Column('text', { nullable: true })
  team!: string | null;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;
}
