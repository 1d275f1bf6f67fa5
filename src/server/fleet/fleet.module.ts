import { Module } from '@nestjs/common';
import { NodeCommands } from './node-commands.js';
import { NodesController } from './nodes.controller.js';
import { NodesReader } from './nodes-reader.js';

@Module({ controllers: [NodesController], providers: [NodesReader, NodeCommands], exports: [NodesReader] })
export class FleetModule {}
