import { Global, Module } from '@nestjs/common';
import { Clock, SystemClock } from './clock.js';
import { Notifications } from './database/notifications.js';

/** What every feature may ask for. */
@Global()
@Module({
  providers: [{ provide: Clock, useClass: SystemClock }, Notifications],
  exports: [Clock, Notifications],
})
export class PlatformModule {}
