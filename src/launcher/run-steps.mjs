import { runNode } from './run-child.mjs';

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {readonly string[]} args what Node runs
 * @property {() => string | undefined} [judge] looks at what the step left behind; a sentence means that it failed
 *
 * @typedef {{ readonly name: string, readonly code: number, readonly output: string, readonly seconds: number }} StepResult
 */

/** Each step keeps a core busy; more at once would only compete. */
const STEPS_AT_ONCE = 2;

/**
 * Runs the steps, two at a time, to the end even when one fails: all complaints in one go.
 * @param {readonly Step[]} steps longest first, so that none is left alone at the end
 * @returns {Promise<number>} 0 when every step passed
 */
export async function runSteps(steps) {
  /** @type {StepResult[]} */
  const results = [];
  const startedMs = Date.now();
  const queue = [...steps];
  const lane = async () => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      const result = await runStep(step);
      results.push(result);
      if (result.code !== 0) process.stdout.write(`\n── ${result.name} ──\n${result.output.trim()}\n`);
    }
  };
  await Promise.all(Array.from({ length: STEPS_AT_ONCE }, lane));
  const inOrder = steps.flatMap(({ name }) => results.filter((result) => result.name === name));
  process.stdout.write(`\n${table(inOrder, (Date.now() - startedMs) / 1000)}\n`);
  return results.every(({ code }) => code === 0) ? 0 : 1;
}

/**
 * @param {Step} step
 * @returns {Promise<StepResult>}
 */
async function runStep({ name, args, judge }) {
  const startedMs = Date.now();
  const ended = await runNode(args, { output: 'capture', env: process.stdout.isTTY ? { FORCE_COLOR: '1' } : {} });
  const verdict = ended.code === 0 ? judge?.() : undefined;
  const output = verdict === undefined ? ended.output : `${ended.output}\n${verdict}`;
  return { name, code: verdict === undefined ? ended.code : 1, output, seconds: (Date.now() - startedMs) / 1000 };
}

/**
 * @param {readonly StepResult[]} results
 * @param {number} seconds
 * @returns {string}
 */
function table(results, seconds) {
  const width = Math.max(...results.map(({ name }) => name.length), 'together'.length);
  const row = (/** @type {string} */ name, /** @type {string} */ result, /** @type {number} */ took) =>
    `${name.padEnd(width)}  ${result.padEnd(6)}  ${took.toFixed(1).padStart(6)} s`;
  const failed = results.filter(({ code }) => code !== 0).length;
  return [
    ...results.map((result) => row(result.name, result.code === 0 ? 'ok' : 'FAILED', result.seconds)),
    row('together', failed === 0 ? 'ok' : 'FAILED', seconds),
  ].join('\n');
}
