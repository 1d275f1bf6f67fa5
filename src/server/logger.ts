import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Level, type Logger } from 'pino';

/** Nest's log lines as pino's: one JSON object each, a constant message, facts as fields. */
export class PinoLogger implements LoggerService {
  private readonly logger: Logger;

  constructor(level: Level, destination: DestinationStream) {
    this.logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
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
    this.logger[level]({ context, ...facts, ...(error === undefined ? {} : { err: error }) }, String(text ?? ''));
  }
}

/** Nest passes a stack before the context when it has one. */
function contextOf(rest: readonly unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
}
