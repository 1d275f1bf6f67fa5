import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { concatMap, interval, type Observable } from 'rxjs';
import { IsNull, MoreThan, type FindOptionsWhere, type Repository } from 'typeorm';
import { z } from 'zod';
import { Clock } from '../clock.js';
import { ROLES } from './permissions.js';
import type { User } from './principal.js';
import { TokenEntity } from './token.entity.js';

const RoleSchema = z.enum(ROLES);
const PREFIX = { access: 'berth_', session: 'berth_session_', code: 'berth_code_' } as const;

/** Long enough for a working day with the page open. */
export const SESSION_SECONDS = 12 * 3600;
const CODE_SECONDS = 600;
const CHECK_MS = 15_000;

export interface IssuedToken {
  readonly secret: string;
  readonly expiresAt: Date | undefined;
}

/** Issues and reads tokens; only their hash is ever stored. */
@Injectable()
export class TokensService {
  constructor(
    @InjectRepository(TokenEntity) private readonly tokens: Repository<TokenEntity>,
    private readonly clock: Clock,
  ) {}

  /** An access token without expiry, e.g. the operator's of the first start. */
  async issueAccess(name: string, role: User['role'], team?: string): Promise<IssuedToken> {
    return this.issue('access', { name, role, team });
  }

  async issueCode(user: User): Promise<IssuedToken> {
    return this.issue('code', user, CODE_SECONDS);
  }

  /** Swaps a one-time code for a session. Of two racing swaps one wins. */
  async swapCode(code: string): Promise<{ readonly session: IssuedToken; readonly user: User } | undefined> {
    const user = await this.read(code, ['code']);
    if (user === undefined) return undefined;
    const used = await this.tokens.update({ id: user.tokenId, revokedAt: IsNull() }, { revokedAt: this.now() });
    return used.affected === 1 ? { session: await this.issue('session', user, SESSION_SECONDS), user } : undefined;
  }

  /** The holder of a valid token of one of these kinds. */
  async read(secret: string, kinds: readonly TokenEntity['kind'][]): Promise<User | undefined> {
    const row = await this.tokens.findOneBy(this.live({ hash: hashOf(secret) }));
    if (row === null || !kinds.includes(row.kind)) return undefined;
    const role = RoleSchema.parse(row.role);
    return { kind: 'user', tokenId: row.id, name: row.name, role, team: row.team ?? undefined };
  }

  /** Whether the token of somebody who was let in still holds, asked again and again: a stream ends with it. */
  watch({ tokenId }: User): Observable<boolean> {
    return interval(CHECK_MS).pipe(
      // A database that is away proves nothing.
      concatMap(() => this.tokens.existsBy(this.live({ id: tokenId })).catch(() => true)),
    );
  }

  private live(token: Partial<Pick<TokenEntity, 'id' | 'hash'>>): FindOptionsWhere<TokenEntity>[] {
    const held = { ...token, revokedAt: IsNull() };
    return [
      { ...held, expiresAt: IsNull() },
      { ...held, expiresAt: MoreThan(this.now()) },
    ];
  }

  private now(): Date {
    return new Date(this.clock.now());
  }

  private async issue(
    kind: TokenEntity['kind'],
    holder: Pick<User, 'name' | 'role' | 'team'>,
    seconds?: number,
  ): Promise<IssuedToken> {
    const secret = PREFIX[kind] + randomBytes(24).toString('base64url');
    const expiresAt = seconds === undefined ? undefined : new Date(this.clock.now() + seconds * 1000);
    const { name, role, team } = holder;
    await this.tokens.insert({
      id: randomUUID(),
      kind,
      name,
      hash: hashOf(secret),
      role,
      team: team ?? null,
      expiresAt: expiresAt ?? null,
    });
    return { secret, expiresAt };
  }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
