/** The program `berth`: the launcher imports it, generators and tests run it. Nothing is exported. */
import { createProgram } from './program.js';
import { reportFailure } from './report-failure.js';

// `berth get nodes | head -1` closes our output early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
