import { Controller, Sse, type MessageEvent } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { interval, map, merge, type Observable } from 'rxjs';
import { Allow } from '../auth/allow.decorator.js';
import { CurrentUser, teamFilter, type User } from '../auth/principal.js';
import { ChangeFeed } from './change-feed.js';
import { ChangeSchema } from './events.schema.js';

const KEEP_ALIVE_MS = 15_000;

@ApiTags('events')
@Controller('v1/events')
export class EventsController {
  constructor(private readonly feed: ChangeFeed) {}

  /** Server-sent events: everything that the caller may see, then what changes. A reconnection begins anew. */
  @Sse()
  @Allow('events:read')
  @ApiOkResponse({ standardSchema: ChangeSchema })
  stream(@CurrentUser() user: User): Observable<MessageEvent> {
    let id = 0;
    return merge(
      this.feed.watch(teamFilter(user, 'events:read')).pipe(
        map((change): MessageEvent => {
          id += 1;
          return { id: String(id), type: 'change', data: change };
        }),
      ),
      interval(KEEP_ALIVE_MS).pipe(map((): MessageEvent => ({ comment: 'keep-alive' }))),
    );
  }
}
