import { DataSource } from 'typeorm';
import type { Role } from '../../src/server/auth/permissions.js';
import { podTokenOf } from '../../src/server/auth/pod-token.js';
import type { PodIdentity } from '../../src/server/auth/principal.js';
import { TokenEntity } from '../../src/server/auth/token.entity.js';
import { TokensService } from '../../src/server/auth/tokens.service.js';
import { SystemClock } from '../../src/server/clock.js';
import type { RunningSystem } from './running-system.js';

/** Makes tokens for a running server, in its ledger: there is no route for that. */
export class TokenIssuer {
  private constructor(
    private readonly dataSource: DataSource,
    private readonly podKey: Buffer,
  ) {}

  static async open(system: RunningSystem): Promise<TokenIssuer> {
    const { url } = system.postgres;
    const dataSource = await new DataSource({
      type: 'postgres',
      url,
      entities: [TokenEntity],
      poolSize: 2,
    }).initialize();
    const [row] = await system.query<{ key: string }>(
      `SELECT value #>> '{}' AS key FROM settings WHERE key = 'pod-token-key'`,
    );
    return new TokenIssuer(dataSource, Buffer.from(row?.key ?? '', 'base64'));
  }

  async issue(name: string, role: Role, team?: string): Promise<string> {
    const tokens = new TokensService(this.dataSource.getRepository(TokenEntity), new SystemClock());
    return (await tokens.issueAccess(name, role, team)).secret;
  }

  /** A token that was valid once. */
  async issueDead(name: string, how: 'expired' | 'revoked'): Promise<string> {
    const secret = await this.issue(name, 'operator');
    const column = how === 'expired' ? 'expires_at' : 'revoked_at';
    await this.dataSource.query(`UPDATE tokens SET ${column} = now() - interval '1 second' WHERE name = $1`, [name]);
    return secret;
  }

  /** As the server makes it for the pod, or for one that there is not. */
  podToken(pod: Omit<PodIdentity, 'kind'>): string {
    return podTokenOf(this.podKey, pod);
  }

  /** What signs the tokens of pods, as it is stored: nobody may ever see it. */
  get podKeyText(): string {
    return this.podKey.toString('base64');
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
  }
}
