import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { z } from 'zod';
import { addApplyCommand } from './apply-command.js';
import { addCancelCommand } from './cancel-command.js';
import { addDashboardCommand } from './dashboard-command.js';
import { addDescribeCommand } from './describe-command.js';
import { addExplainCommand } from './explain-command.js';
import { addGetCommand } from './get-command.js';
import { addLogsCommand } from './logs-command.js';
import { addNodeCommand } from './node-command.js';
import { addOpenApiCommand } from './openapi-command.js';
import { addScenarioCommand } from './scenario-command.js';
import { addServerCommand } from './server-command.js';
import { addTrainCommand } from './train-command.js';
import { addUpCommand } from './up-command.js';

/** The command line: every command, with what all of them share. */
export function createProgram(): Command {
  const program = new Command('berth')
    .description('Capacity planner and cluster scheduler for GPUs and TPUs')
    .version(packageVersion(), '-V, --version')
    .option('--server <url>', 'address of the server (BERTH_SERVER)')
    .option('--token <token>', 'token for the server (BERTH_TOKEN)')
    .option('--context <name>', 'entry of the configuration file instead of its current one')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: writeUsageError });
  addUpCommand(program);
  addServerCommand(program);
  addApplyCommand(program);
  addGetCommand(program);
  addDescribeCommand(program);
  addExplainCommand(program);
  addLogsCommand(program);
  addCancelCommand(program);
  addNodeCommand(program);
  addDashboardCommand(program);
  addScenarioCommand(program);
  addTrainCommand(program);
  addOpenApiCommand(program);
  return program;
}

/** One line, as all errors are: what is wrong, what was perhaps meant, and where to look. */
function writeUsageError(text: string, write: (line: string) => void): void {
  const line = text
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ');
  write(`berth: ${line}; see \`berth --help\`\n`);
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}
