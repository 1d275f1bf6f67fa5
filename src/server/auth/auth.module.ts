import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuthGuard } from './auth.guard.js';
import { ServerSecret } from './server-secret.js';
import { SessionController } from './session.controller.js';
import { TokenEntity } from './token.entity.js';
import { TokensService } from './tokens.service.js';

@Global()
@Module({
  imports: [TypeOrmModule.forFeature([TokenEntity])],
  controllers: [SessionController],
  providers: [TokensService, ServerSecret, { provide: APP_GUARD, useClass: AuthGuard }],
  exports: [TokensService, ServerSecret],
})
export class AuthModule {}
