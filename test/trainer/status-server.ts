import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StatusReportSchema, type StatusReply, type StatusReport } from '../../src/trainer/contract.js';

export interface Received {
  readonly report: StatusReport;
  readonly authorization: string | undefined;
}

export type StatusAnswer =
  { readonly status: 200; readonly reply: StatusReply } | { readonly status: number; readonly reply?: undefined };

const ACCEPTED: StatusAnswer = { status: 200, reply: { round: 0, worldSize: 1 } };

/** The control plane as far as a pod sees it: a real HTTP server that checks each report against the contract. */
export class StatusServer {
  readonly received: Received[] = [];
  /** Reports that do not keep to the contract. */
  readonly refused: string[] = [];
  private readonly server: Server;

  constructor(private readonly answer: (received: Received) => StatusAnswer = () => ACCEPTED) {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const parsed = StatusReportSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        if (!parsed.success) {
          this.refused.push(parsed.error.message);
          response.writeHead(400).end();
          return;
        }
        const received = { report: parsed.data, authorization: request.headers.authorization };
        this.received.push(received);
        const { status, reply } = this.answer(received);
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(reply === undefined ? '' : JSON.stringify(reply));
      });
    });
  }

  get reports(): readonly StatusReport[] {
    return this.received.map(({ report }) => report);
  }

  /** On a port of its own, or on one that is known to be free. */
  async open(port = 0): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/status`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
