// The entry of the npm scripts: `node src/launcher/launch.mjs test src/core` is `npm test src/core`.
import { requireNode } from './require-node.mjs';

requireNode();
// Imported late, because a static import would be parsed before the line above has run.
void import('./commands.mjs').then((commands) => commands.runCommand(process.argv[2], process.argv.slice(3)));
