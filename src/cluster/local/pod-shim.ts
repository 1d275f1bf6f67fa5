/**
 * The process that watches over one pod: `node pod-shim.js POD_FOLDER`. It is the parent of the pod's program, so it
 * alone learns the exit code, and it lives apart from the server, so that a restarted server finds the pod running.
 */
import { identifyProcess } from './process-identity.js';
import { PodFolder } from './pod-folder.js';
import { PodWatch } from './pod-watch.js';

const EXIT_USAGE = 64;

const path = process.argv[2];
const self = identifyProcess(process.pid);
if (path === undefined || self === undefined) {
  console.error('usage: pod-shim POD_FOLDER, on a system with /proc or ps');
  process.exitCode = EXIT_USAGE;
} else {
  const folder = new PodFolder(path);
  const plan = folder.plan();
  // Without a plan there is nothing to run; without the claim another process runs it.
  if (plan !== undefined && folder.claim(self)) new PodWatch(folder, plan).run();
}
