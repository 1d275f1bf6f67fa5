/** The training thread: computing blocks it for whole batches, so signals and the control plane are not here. */
import { parentPort, workerData } from 'node:worker_threads';
import { describeFailure } from '../trainer-error.js';
import { runJob } from '../training/run-job.js';
import { STOP, type WorkerMessage, type WorkOrder } from './worker-messages.js';

const port = parentPort;
if (port === null) throw new Error('training-worker is a worker thread, not a program');

const send = (message: WorkerMessage): void => {
  port.postMessage(message);
};
const order = workerData as WorkOrder; // made by superviseTraining in the same program, of the same version
const stopFlag = new Int32Array(order.stopFlag);

try {
  await runJob(order, {
    send,
    isStopWanted: () => Atomics.load(stopFlag, 0) === STOP,
    clock: () => performance.now() / 1000,
  });
} catch (error) {
  const stack = error instanceof Error ? error.stack : undefined;
  send({ kind: 'failed', ...describeFailure(error), stack });
}
