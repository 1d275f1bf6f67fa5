import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Level, type Logger } from 'pino';

/** Nest's log lines as pino's: one JSON object each, a constant message, facts as fields. */
export class PinoLogger implements LoggerService {
  private readonly logger: Logger;

  constructor(level: Level, destination: DestinationStream) {
    const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: errorFacts } };
    this.logger = pino({ level, ...options }, destination);
  }

  log(message: unknown, context?: string): void {
    this.write('info', message, context);
  }

  error(message: unknown, ...rest: readonly unknown[]): void {
    this.write('error', message, contextOf(rest));
  }

  warn(message: unknown, context?: string): void {
    this.write('warn', message, context);
  }

  debug(message: unknown, context?: string): void {
    this.write('debug', message, context);
  }

  verbose(message: unknown, context?: string): void {
    this.write('trace', message, context);
  }

  private write(level: Level, message: unknown, context: string | undefined): void {
    if (typeof message !== 'object' || message === null) {
      this.logger[level]({ context }, String(message));
      return;
    }
    const { message: text, error, ...facts } = message as { message?: unknown; error?: unknown };
    const err = error === undefined ? {} : { err: error };
    this.logger[level]({ context, ...facts, ...err }, typeof text === 'string' ? text : '');
  }
}

/** No more than that: an error of a query brings its parameters along, and there may be secrets among them. */
function errorFacts(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { name, code, message, stack } = error as Readonly<Record<string, unknown>>;
  return { name, code, message, stack };
}

/** Nest passes a stack before the context when it has one. */
function contextOf(rest: readonly unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
}
