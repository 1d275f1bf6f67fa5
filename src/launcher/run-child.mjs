import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CHECKOUT } from './checkout.mjs';

/**
 * @typedef {object} Child
 * @property {string} file
 * @property {readonly string[]} args
 * @property {'inherit' | 'capture'} output `capture` also closes standard input
 * @property {Readonly<Record<string, string>>} [env] added to our own
 * @property {string} [cwd] the checkout by default
 * @property {AbortSignal} [stop] asks it to end
 * @property {number} [graceMs] how long it may take to end after a signal, before it is killed; for ever by default
 */

/**
 * @typedef {object} Ended
 * @property {number} code the child's own, or 128 + the number of the signal that ended it or us
 * @property {boolean} isInterrupted a signal to us is why it ended
 * @property {string} output empty unless captured
 */

/**
 * Runs a program to its end. A signal to us is passed on and then waited for, so that nothing is left behind.
 * @param {Child} child
 * @returns {Promise<Ended>}
 */
export function runChild({ file, args, output, env, cwd = CHECKOUT, stop, graceMs }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: output === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout?.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk));
    child.stderr?.on('data', (/** @type {Buffer} */ chunk) => chunks.push(chunk));
    /** @type {NodeJS.Signals | undefined} */
    let received;
    /** @type {NodeJS.Timeout | undefined} */
    let timer;
    /** @param {NodeJS.Signals} signal */
    const passOn = (signal) => {
      received = signal;
      child.kill(signal);
      if (graceMs !== undefined) timer ??= setTimeout(() => child.kill('SIGKILL'), graceMs);
    };
    process.on('SIGINT', passOn).on('SIGTERM', passOn);
    stop?.addEventListener('abort', () => child.kill('SIGTERM'));
    const settle = () => {
      process.off('SIGINT', passOn).off('SIGTERM', passOn);
      clearTimeout(timer);
    };
    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('close', (code, signal) => {
      settle();
      const endedBy = received ?? signal;
      resolve({
        code: code === null || received !== undefined ? 128 + constants.signals[endedBy ?? 'SIGKILL'] : code,
        isInterrupted: received !== undefined,
        output: Buffer.concat(chunks).toString('utf8'),
      });
    });
  });
}

/**
 * Runs a script with the Node that runs us.
 * @param {readonly string[]} args
 * @param {Omit<Child, 'file' | 'args'>} options
 */
export function runNode(args, options) {
  return runChild({ file: process.execPath, args, ...options });
}
