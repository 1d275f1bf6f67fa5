import { fileURLToPath } from 'node:url';
import { Logger, type DynamicModule, type LoggerService } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { TokensService } from '../server/auth/tokens.service.js';
import type { ServerRole } from '../server/configuration.js';
import { ClusterModule } from '../server/cluster.module.js';
import { createServer } from '../server/create-server.js';
import { openDataSource } from '../server/database/data-source.js';
import { EmbeddedPostgres } from '../server/database/embedded-postgres.js';
import { listen, type ListenOptions } from '../server/listen.js';
import { applyQuotaFile } from '../server/quotas/apply-quota-file.js';
import type { QuotaFile } from '../server/quotas/quota-file.schema.js';
import { LiveLoop } from '../server/scheduler/live-loop.js';
import { policyOf, type PolicyFile } from '../policy-file/policy-file.schema.js';
import { StatusAddress } from '../server/scheduler/status-address.js';
import type { DataDirectory } from './data-directory.js';
import type { OpenDriver } from './open-driver.js';

export interface StartOptions {
  readonly directory: DataDirectory;
  /** A PostgreSQL server of the operator's; absent: the embedded one. */
  readonly databaseUrl: string | undefined;
  readonly driver: OpenDriver;
  readonly quotas: QuotaFile;
  /** Absent: the default one. */
  readonly policy: PolicyFile | undefined;
  readonly roles: readonly ServerRole[];
  readonly address: ListenOptions;
  /** Where pods reach this server; absent: where it listens. */
  readonly podsReach: string | undefined;
  readonly logger: LoggerService;
}

export interface RunningServer {
  readonly url: string;
  /** The port that was wanted, when it became another. */
  readonly takenPort: number | undefined;
  /** The given token when it is an operator's of this ledger, else a new one: whoever owns the data is the operator. */
  operatorToken(known: string | undefined): Promise<string>;
  /**
   * Within 10 s. `end` stops the pods of the local driver, with a checkpoint where they can, and the next server goes on
   * with them. Pods on Kubernetes run on.
   */
  stop(pods: 'keep' | 'end'): Promise<void>;
}

/** The name of every scheduler on an embedded database, of which there is one at a time. */
const EMBEDDED_HOLDER = 'embedded';
const PAGE_DIRECTORY = fileURLToPath(new URL('../dashboard', import.meta.url));

/** The whole control plane in this process beside its driver: database, API and scheduler, as each needs the other. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { driver, roles } = options;
  Logger.overrideLogger(options.logger); // the database speaks before there is an application
  const undo: (() => Promise<void>)[] = [() => driver.close(), () => driver.cluster.stop('keep')];
  const leads = roles.includes('scheduler');
  try {
    const { url, close } = await openDatabase(options);
    undo.push(close);
    const dataSource = await openDataSource({ url });
    undo.push(() => destroy(dataSource));
    if (leads) await applyQuotaFile(dataSource, options.quotas);
    const app = await createServer({
      dataSource,
      cluster: moduleOf(driver),
      policy: policyOf(options.policy, driver.levels),
      mayLead: leads,
      logger: options.logger,
      pageDirectory: PAGE_DIRECTORY,
    });
    undo.push(() => app.close());
    const { port, url: base } = await serve(app, options);
    const loop = leads ? app.get(LiveLoop) : undefined;
    // The claim on the data directory proves that whoever led on its database is dead: nobody waits for that lease.
    loop?.start(options.databaseUrl === undefined ? EMBEDDED_HOLDER : undefined);
    return {
      url: base,
      takenPort: [0, port].includes(options.address.port) ? undefined : options.address.port,
      operatorToken: (known) => operatorToken(app.get(TokensService), known),
      stop: (pods) =>
        doAll([
          async () => loop?.stop(),
          () => driver.cluster.stop(pods),
          () => app.close(),
          close,
          () => driver.close(),
        ]),
    };
  } catch (error) {
    await doAll(undo.reverse()).catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}

function moduleOf(driver: OpenDriver): DynamicModule {
  return driver.kind === 'local' ? ClusterModule.local(driver.cluster) : ClusterModule.kubernetes(driver.cluster);
}

/** One after another, also when one fails; then the first failure is told. */
async function doAll(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    await step().catch((error: unknown) => {
      failures.push(error);
    });
  }
  if (failures.length > 0) throw failures[0];
}

async function openDatabase({
  databaseUrl,
  directory,
}: StartOptions): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  if (databaseUrl !== undefined) return { url: databaseUrl, close: () => Promise.resolve() };
  const postgres = await EmbeddedPostgres.open({ directory: directory.database });
  return { url: postgres.url, close: () => postgres.close() };
}

async function serve(
  app: NestFastifyApplication,
  { address, directory, podsReach }: StartOptions,
): Promise<{ readonly port: number; readonly url: string }> {
  const port = await listen(app, address);
  directory.rememberPort(port);
  const url = `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`;
  app.get(StatusAddress).set(podsReach ?? url);
  return { port, url };
}

async function destroy(dataSource: DataSource): Promise<void> {
  if (dataSource.isInitialized) await dataSource.destroy();
}

async function operatorToken(tokens: TokensService, known: string | undefined): Promise<string> {
  const holder = known === undefined ? undefined : await tokens.read(known, ['access']);
  if (known !== undefined && holder?.role === 'operator') return known;
  return (await tokens.issueAccess('operator', 'operator')).secret;
}
