import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { unreachable } from '../unreachable.js';
import { StatusReplySchema, StatusReportSchema, type StatusReply, type StatusReport } from '../../trainer/contract.js';
import { Allow } from '../auth/allow.decorator.js';
import { CurrentPod, type PodIdentity } from '../auth/principal.js';
import { Problem } from '../problem.js';
import { StatusReports } from './status-reports.js';

export const STATUS_PATH = 'v1/status';

@ApiTags('status')
@Controller(STATUS_PATH)
export class StatusController {
  constructor(private readonly reports: StatusReports) {}

  /** What a pod posts about itself, with the token of its incarnation. 409: a newer incarnation exists, exit at once. */
  @Post()
  @Allow('status:report')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: StatusReplySchema })
  async report(
    @CurrentPod() pod: PodIdentity,
    @Body({ schema: StatusReportSchema }) body: StatusReport,
  ): Promise<StatusReply> {
    const outcome = await this.reports.note(pod, body);
    switch (outcome.kind) {
      case 'noted':
        return outcome.reply;
      case 'not-this-pod':
        throw new Problem(403, {
          code: 'FORBIDDEN',
          detail: 'The token belongs to another workload, pod or incarnation.',
        });
      case 'finished':
        throw new Problem(409, {
          code: 'STALE_INCARNATION',
          detail: 'The workload has ended: exit and write nothing more.',
        });
      case 'stale-incarnation':
        throw new Problem(409, {
          code: 'STALE_INCARNATION',
          detail: `Incarnation ${pod.incarnation} is over, ${outcome.current} is current: exit and write nothing more.`,
        });
      default:
        return unreachable(outcome);
    }
  }
}
