#!/usr/bin/env node
// The package's bin: `npx berth get nodes` and `npm run -s berth -- get nodes` inside a checkout.
import { requireNode } from './require-node.mjs';

requireNode();
// Imported late, because a static import would be parsed before the line above has run.
void import('./commands.mjs').then((commands) => commands.runCommand('berth', process.argv.slice(2)));
