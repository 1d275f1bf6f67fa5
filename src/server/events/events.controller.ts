import { Controller, Sse, type MessageEvent } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { filter, map, merge, share, takeUntil, type Observable } from 'rxjs';
import { Allow } from '../auth/allow.decorator.js';
import { CurrentUser, teamFilter, type User } from '../auth/principal.js';
import { TokensService } from '../auth/tokens.service.js';
import { ChangeFeed } from './change-feed.js';
import { ChangeSchema } from './events.schema.js';

/** A first message of thousands of nodes must pass; a page that reads nothing for long is dropped, and comes again. */
const PENDING_LENGTH_MAX = 64 * 1024 * 1024;

@ApiTags('events')
@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly feed: ChangeFeed,
    private readonly tokens: TokensService,
  ) {}

  /**
   * Server-sent events: everything that the caller may see, then what changes, until the token ends. A reconnection
   * begins anew.
   */
  @Sse('', { maxPendingDataLength: PENDING_LENGTH_MAX })
  @Allow('events:read')
  @ApiOkResponse({ standardSchema: ChangeSchema })
  stream(@CurrentUser() user: User): Observable<MessageEvent> {
    let id = 0;
    const tokenHolds = this.tokens.watch(user).pipe(share());
    return merge(
      this.feed.watch(teamFilter(user, 'events:read')).pipe(
        map((change): MessageEvent => {
          id += 1;
          return { id: String(id), type: 'change', data: change };
        }),
      ),
      tokenHolds.pipe(map((): MessageEvent => ({ comment: 'keep-alive' }))),
    ).pipe(takeUntil(tokenHolds.pipe(filter((holds) => !holds))));
  }
}
