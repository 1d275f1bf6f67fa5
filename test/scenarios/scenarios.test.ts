import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { formatProblems } from '../../src/documents/yaml-document.js';
import { formatFailure } from '../../src/scenario/format-failure.js';
import { readScenarioFile } from '../../src/scenario/read-scenario-file.js';
import { runScenario } from '../../src/scenario/run-scenario.js';

const FOLDER = new URL('.', import.meta.url);
const files = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.yaml'))
  .sort();
const scenarios = files.flatMap((file) => {
  const result = readScenarioFile(readFileSync(new URL(file, FOLDER), 'utf8'));
  if (result.kind === 'invalid') throw new Error(formatProblems(file, result.problems));
  return result.value.map((scenario) => ({ file, scenario }));
});

describe.each(files)('%s', (file) => {
  it.each(scenarios.filter((one) => one.file === file).map(({ scenario }) => [scenario.name, scenario] as const))(
    '%s',
    (_name, scenario) => {
      const failures = runScenario(scenario).failures.map(formatFailure);
      expect(failures).toEqual([]);
    },
  );
});

it('plays the example of the reference', () => {
  const page = readFileSync(new URL('../../docs/reference/scenario-file.md', FOLDER), 'utf8');
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const result = readScenarioFile(example);
  const failures = result.kind === 'valid' ? result.value.flatMap((scenario) => runScenario(scenario).failures) : [];
  expect(result.kind).toBe('valid');
  expect(failures.map(formatFailure)).toEqual([]);
});

it('gives every scenario a name of its own', () => {
  const names = scenarios.map(({ scenario }) => scenario.name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
