import { Injectable } from '@nestjs/common';

/** Where pods report. Known once the server listens. */
@Injectable()
export class StatusAddress {
  private base: string | undefined;

  get url(): string {
    if (this.base === undefined) throw new Error('the server does not listen yet');
    return `${this.base}/v1/status`;
  }

  set(base: string): void {
    this.base = base;
  }
}
