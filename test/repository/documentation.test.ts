import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { DriverSettingsSchema } from '../../src/cluster/kubernetes/driver-settings.js';
import { readFleetFile } from '../../src/fleet-file/read-fleet-file.js';
import { formatProblems, parseYamlDocument, type DocumentResult } from '../../src/documents/yaml-document.js';
import { PolicyFileSchema } from '../../src/policy-file/policy-file.schema.js';
import { readScenarioFile } from '../../src/scenario/read-scenario-file.js';
import { QuotaFileSchema } from '../../src/server/quotas/quota-file.schema.js';
import { WorkloadDocumentSchema } from '../../src/server/workloads/workload.schema.js';
import { JobSchema } from '../../src/trainer/contract.js';
import { CHECKOUT } from '../support/scratch-checkout.js';

const FENCE = /^ *```(\w*)\n([\s\S]*?)^ *```$/gm;

const { scripts, ...packageFile } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};
const GIT_LIST = ['-c', 'safe.directory=*', 'ls-files', '-z', '-co', '--exclude-standard'];
const pages = execFileSync('git', [...GIT_LIST, '*.md'], { cwd: CHECKOUT })
  .toString()
  .split('\0')
  .filter((page) => page !== '' && existsSync(join(CHECKOUT, page)));

interface CommandNode {
  readonly names: readonly string[];
  readonly options: readonly string[];
  readonly commands: readonly CommandNode[];
}

/** Asked of the compiled program in a process of its own: it brings packages along that Jest cannot load. */
function commandTree(): CommandNode {
  const script = `
    import { createProgram } from ${JSON.stringify(pathToFileURL(join(CHECKOUT, 'dist', 'cli', 'program.js')).href)};
    const treeOf = (command) => ({
      names: [command.name(), ...command.aliases()],
      options: command.options.flatMap(({ short, long }) => [short, long].filter((name) => typeof name === 'string')),
      commands: command.commands.map(treeOf),
    });
    process.stdout.write(JSON.stringify(treeOf(createProgram())));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  return JSON.parse(output) as CommandNode;
}
const program = commandTree();

function textOf(page: string): string {
  return readFileSync(join(CHECKOUT, page), 'utf8');
}

function prose(text: string): string {
  return text.replaceAll(FENCE, '');
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(text: string): readonly string[] {
  const seen = new Map<string, number>();
  return [...prose(text).matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

function brokenLinks(page: string, text: string): string[] {
  const targets = [...prose(text).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target);
  return targets.flatMap((target) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : normalize(join(dirname(page), path));
    if (!existsSync(join(CHECKOUT, file))) return [`${page}: ${target}: there is no ${file}`];
    if (anchor === undefined || anchorsOf(path === '' ? text : textOf(file)).includes(anchor)) return [];
    return [`${page}: ${target}: ${file} has no heading for it`];
  });
}

/** Whatever is written as code and looks like a path of the repository; patterns and placeholders are not. */
function missingPaths(page: string, text: string): string[] {
  const named = [...prose(text).matchAll(/`((?:src|docs|test)\/[\w./-]+)`/g)].map(([, path = '']) => path);
  return named.filter((path) => !existsSync(join(CHECKOUT, path))).map((path) => `${page}: there is no ${path}`);
}

/** Lines of shell blocks, and code in a sentence that begins as a command does. */
function commandsIn(text: string): readonly string[] {
  const lines = [...text.matchAll(FENCE)].flatMap(([, language, block = '']) =>
    language === 'sh' ? block.replaceAll('\\\n', ' ').split('\n') : [],
  );
  const inSentences = [...prose(text).matchAll(/`((?:npx )?berth [^`]+|npm (?:run|start|test)[^`]*)`/g)];
  return [...lines, ...inSentences.map(([, code = '']) => code)].map((line) => line.replace(/ +#.*$/, '').trim());
}

function wrongCommands(page: string, text: string): string[] {
  return commandsIn(text).flatMap((line) => {
    const script = /^npm run (?:-s )?([\w:-]+)/.exec(line)?.[1];
    if (script !== undefined && !(script in scripts)) return [`${page}: ${line}: there is no script ${script}`];
    const [, typed] = /^(?:npx berth|npm run -s berth --|berth|npm (?:start|run dev) --)(?: +(.*))?$/.exec(line) ?? [];
    if (typed === undefined) return [];
    const words = /^npm (start|run dev)/.test(line) ? ['up', ...typed.split(/ +/)] : typed.split(/ +/);
    return mistakesOf(words).map((mistake) => `${page}: ${line}: ${mistake}`);
  });
}

/** Follows the words down the tree of commands, and looks up each option on the way. */
function mistakesOf(words: readonly string[]): string[] {
  let command = program;
  const options: string[] = [];
  for (const word of words) {
    if (word.startsWith('-')) options.push(word.split('=')[0] ?? word);
    else if (command.commands.length > 0) {
      const next = command.commands.find(({ names }) => names.includes(word));
      if (next === undefined) return [`there is no command ${word}`];
      command = next;
    }
  }
  const known = ['--help', ...command.options, ...program.options];
  return options
    .filter((option) => !known.includes(option))
    .map((option) => `${command.names.join('|')} has no option ${option}`);
}

/** What an example claims to be, by its first lines; a fragment is none of these. */
const READERS: readonly { readonly begins: RegExp; readonly read: (text: string) => DocumentResult<unknown> }[] = [
  { begins: /^apiVersion:/m, read: (text) => parseYamlDocument(text, WorkloadDocumentSchema) },
  { begins: /^features:/m, read: (text) => parseYamlDocument(text, JobSchema) },
  { begins: /^version:/m, read: (text) => parseYamlDocument(text, PolicyFileSchema) },
  { begins: /^(expect|scenarios):/m, read: readScenarioFile },
  { begins: /^queues:/m, read: (text) => parseYamlDocument(text, QuotaFileSchema) },
  { begins: /^pods:/m, read: (text) => parseYamlDocument(text, DriverSettingsSchema) },
  { begins: /^nodes:/m, read: readFleetFile },
];

function wrongExamples(page: string, text: string): string[] {
  return [...text.matchAll(FENCE)].flatMap(([, language, block = '']) => {
    if (language !== 'yaml') return [];
    const reader = READERS.find(({ begins }) => begins.test(block));
    if (reader === undefined) return [`${page}: an example of nothing known: ${block}`];
    const result = reader.read(block);
    return result.kind === 'valid' ? [] : [formatProblems(page, result.problems)];
  });
}

describe('the documentation', () => {
  it('has no link that leads nowhere', () => {
    expect(pages.flatMap((page) => brokenLinks(page, textOf(page)))).toEqual([]);
  });

  it('names only files that are there', () => {
    expect(pages.flatMap((page) => missingPaths(page, textOf(page)))).toEqual([]);
  });

  it('shows only commands and options that exist', () => {
    expect(pages.flatMap((page) => wrongCommands(page, textOf(page)))).toEqual([]);
  });

  it('shows only examples that are accepted', () => {
    expect(pages.flatMap((page) => wrongExamples(page, textOf(page)))).toEqual([]);
  });

  it('describes every command', () => {
    const described = textOf('docs/reference/cli.md');
    const names = program.commands.flatMap((command) => command.names.slice(0, 1));
    expect(names.filter((name) => !described.includes(`\`berth ${name}\``))).toEqual([]);
  });

  it('has a line for every dependency', () => {
    const table = textOf('docs/adr/0018-dependencies.md');
    const { dependencies, devDependencies, optionalDependencies } = packageFile;
    const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(names.filter((name) => !new RegExp(`^\\| \`${name}\` `, 'm').test(table))).toEqual([]);
  });

  it('has every decision in its index', () => {
    const index = textOf('docs/adr/README.md');
    const records = pages.filter((page) => /^docs\/adr\/\d{4}-/.test(page));
    expect(records.filter((page) => !index.includes(`(${page.replace('docs/adr/', '')})`))).toEqual([]);
  });
});

describe('a mistake in the documentation is found:', () => {
  it.each([
    ['a file', '[x](concepts/nothing.md)', 'docs/README.md: concepts/nothing.md: there is no docs/concepts/nothing.md'],
    ['a heading', '[x](scope.md#none)', 'docs/README.md: scope.md#none: docs/scope.md has no heading for it'],
    ['a heading of its own', '# A B\n[x](#a-c)', 'docs/README.md: #a-c: docs/README.md has no heading for it'],
  ])('a link to %s that is not there', (_what, text, want) => {
    expect(brokenLinks('docs/README.md', text)).toEqual([want]);
  });

  it('a path that is not there', () => {
    expect(missingPaths('README.md', 'open `src/core/nothing.ts`')).toEqual([
      'README.md: there is no src/core/nothing.ts',
    ]);
  });

  it.each([
    ['a command', '```sh\nnpx berth fly  # up\n```', 'there is no command fly'],
    ['an option', '```sh\nberth up --nothing\n```', 'up has no option --nothing'],
    ['an option of npm start', 'run `npm start -- --twice`', 'up has no option --twice'],
    ['a script', 'run `npm run nothing`', 'there is no script nothing'],
  ])('%s that is not there', (_what, text, want) => {
    expect(wrongCommands('README.md', text)).toEqual([expect.stringMatching(new RegExp(`${want}$`))]);
  });

  it('an example that is refused', () => {
    const example = '```yaml\nfeatures: []\n```';
    expect(wrongExamples('README.md', example)).toEqual([expect.stringContaining('README.md:1:1: name: ')]);
  });

  it('but not a right command', () => {
    expect(wrongCommands('README.md', '```sh\nberth server --roles api \\\n  --port 1\n```')).toEqual([]);
  });
});
