import { Controller, Get, HttpCode, Inject, Optional, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { NodeFaults } from '../../cluster/cluster.js';
import { Allow } from '../auth/allow.decorator.js';
import { CurrentUser, teamFilter, type User } from '../auth/principal.js';
import { NodeNameSchema } from '../names.schema.js';
import { Problem } from '../problem.js';
import { NodePageSchema, NodeSchema, type Node } from './fleet.schema.js';
import { NODE_VERBS, NodeCommands, type NodeVerb } from './node-commands.js';
import { nodeSeenBy } from './node-seen-by.js';
import { NodesReader } from './nodes-reader.js';

const VerbSchema = z.enum(NODE_VERBS, `must be one of ${NODE_VERBS.join(', ')}`);

@ApiTags('nodes')
@Controller('v1/nodes')
export class NodesController {
  constructor(
    private readonly reader: NodesReader,
    private readonly commands: NodeCommands,
    // By its token: of a union the compiler keeps no type that could be injected.
    @Optional() @Inject(NodeFaults) private readonly faults: NodeFaults | undefined,
  ) {}

  /** All nodes by name, with the holders of their device slots. */
  @Get()
  @Allow('nodes:read')
  @ApiOkResponse({ standardSchema: NodePageSchema })
  async list(@CurrentUser() user: User): Promise<{ readonly items: readonly Node[] }> {
    const team = teamFilter(user, 'workloads:read');
    return { items: (await this.reader.list()).map((node) => nodeSeenBy(node, team)) };
  }

  @Get(':name')
  @Allow('nodes:read')
  @ApiOkResponse({ standardSchema: NodeSchema })
  async read(@CurrentUser() user: User, @Param('name', { schema: NodeNameSchema }) name: string): Promise<Node> {
    const [node] = await this.reader.list([name]);
    if (node !== undefined) return nodeSeenBy(node, teamFilter(user, 'workloads:read'));
    throw new Problem(404, { code: 'NOT_FOUND', detail: `No node ${name}; see GET /v1/nodes.` });
  }

  /** `cordon`: no new pods. `uncordon`: its end. `fail` and `restore` kill and revive a node of the local driver. */
  @Post(':name/:verb')
  @Allow('nodes:operate')
  @HttpCode(202)
  @ApiAcceptedResponse({ standardSchema: NodeSchema })
  async operate(
    @CurrentUser() user: User,
    @Param('name', { schema: NodeNameSchema }) name: string,
    @Param('verb', { schema: VerbSchema }) verb: NodeVerb,
  ): Promise<Node> {
    if ((verb === 'fail' || verb === 'restore') && this.faults === undefined) {
      throw new Problem(409, { code: 'NOT_SUPPORTED', detail: `Only virtual nodes of the local driver can ${verb}.` });
    }
    await this.commands.order(name, verb, user.name);
    return this.read(user, name);
  }
}
