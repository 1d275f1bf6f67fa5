import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** So many ports after the wanted one are tried. */
const PORTS_TRIED = 50;

export class PortTakenError extends Error {
  override name = 'PortTakenError';
}

/** `next-free`: when the port is taken, the next free one is used. Port 0: any. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly whenTaken: 'fail' | 'next-free';
}

/** Listens, and returns the port that it became. */
export async function listen(app: NestFastifyApplication, { host, port, whenTaken }: ListenOptions): Promise<number> {
  const last = Math.min(65_535, whenTaken === 'fail' ? port : port + PORTS_TRIED);
  for (let candidate = port; candidate <= last; candidate += 1) {
    try {
      await app.listen(candidate, host);
      return boundPort(app);
    } catch (error) {
      if (!isPortTaken(error)) throw error;
    }
  }
  const tried = last === port ? `Port ${port} is` : `The ports ${port} to ${last} are`;
  throw new PortTakenError(`${tried} taken: choose another with --port.`);
}

function boundPort(app: NestFastifyApplication): number {
  const address = app.getHttpServer().address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address.port;
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
