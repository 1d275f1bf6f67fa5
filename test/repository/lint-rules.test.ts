import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CHECKOUT, ScratchCheckout } from '../support/scratch-checkout.js';

interface FileReport {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null; readonly message: string }[];
}

const manyLines = (count: number): string => Array.from({ length: count }, (_, i) => `use(${i});`).join('\n');
const use = 'declare function use(x: unknown): void;\n';

/** What to write, the rule that must object, and a word of what it says. */
const PLANTED: Readonly<Record<string, readonly [file: string, source: string, rule: string, says?: string]>> = {
  'the clock in the core': ['src/core/a1.ts', `export const now = Date.now();`, 'no-restricted-globals', 'time'],
  'a timer in the core': ['src/core/a2.ts', `setTimeout(() => 1, 1);`, 'no-restricted-globals', 'time'],
  'performance in the core': ['src/core/a3.ts', `export const now = performance.now();`, 'no-restricted-globals'],
  'the environment in the core': [
    'src/core/a4.ts',
    `export const home = process.env['HOME'];`,
    'no-restricted-globals',
  ],
  'the network in the core': ['src/core/a5.ts', `export const page = fetch('/');`, 'no-restricted-globals'],
  'chance in the core': ['src/core/a6.ts', `export const dice = Math.random();`, 'no-restricted-properties', 'seed'],
  'a locale in the core': [
    'src/core/a7.ts',
    `export const order = 'a'.localeCompare('b');`,
    'no-restricted-properties',
    'locale',
  ],
  'waiting in the core': [
    'src/core/a8.ts',
    `export async function wait(): Promise<void> { await undefined; }`,
    'no-restricted-syntax',
    'synchronous',
  ],
  'a fourth parameter': [
    'src/server/b1.ts',
    `export function f(a: number, b: number, c: number, d: number): number { return a + b + c + d; }`,
    'no-restricted-syntax',
    'three positional',
  ],
  'a fourth parameter in a port': [
    'src/server/b2.ts',
    `export abstract class P { abstract f(a: number, b: number, c: number, d: number): void; }`,
    'no-restricted-syntax',
    'three positional',
  ],
  'a sixth injection': [
    'src/server/b3.ts',
    `export class S { constructor(readonly a: 1, readonly b: 1, readonly c: 1, readonly d: 1, readonly e: 1, readonly f: 1) {} }`,
    'no-restricted-syntax',
    'five',
  ],
  'a sixth thing that a route takes': [
    'src/server/b12.ts',
    `declare const P: ParameterDecorator; export class C { f(@P a: 1, @P b: 1, @P c: 1, @P d: 1, @P e: 1, @P f: 1): void {} }`,
    'no-restricted-syntax',
    'route',
  ],
  'a default export': ['src/server/b4.ts', `export default 1;`, 'no-restricted-syntax', 'Named exports'],
  'a long function': [
    'src/server/b5.ts',
    `${use}export function f(): void {\n${manyLines(71)}\n}`,
    'max-lines-per-function',
  ],
  'a long file': ['src/server/b6.ts', `${use}${manyLines(400)}`, 'max-lines'],
  'a function without a return type': [
    'src/server/b7.ts',
    `export function f() { return 1; }`,
    '@typescript-eslint/explicit-module-boundary-types',
  ],
  'a switch that forgets a case': [
    'src/server/b8.ts',
    `export function f(kind: 'a' | 'b'): number { switch (kind) { case 'a': return 1; } return 2; }`,
    '@typescript-eslint/switch-exhaustiveness-check',
  ],
  any: ['src/server/b9.ts', `export const x: any = 1;`, '@typescript-eslint/no-explicit-any'],
  'an exclamation mark instead of a check': [
    'src/server/b10.ts',
    `export const f = (x: string | undefined): string => x!;`,
    '@typescript-eslint/no-non-null-assertion',
  ],
  'a promise that nobody waits for': [
    'src/server/b11.ts',
    `${use}async function f(): Promise<void> { await Promise.resolve(); }\nf();`,
    '@typescript-eslint/no-floating-promises',
  ],
  'syntax that an old Node cannot parse, in the first lines': [
    'src/launcher/launch.mjs',
    `export const home = process.env['HOME']?.length;`,
    'no-restricted-syntax',
    'old Node',
  ],
};

const INNOCENT: Readonly<Record<string, string>> = {
  'src/server/injects.service.ts': `export class S { constructor(readonly a: 1, readonly b: 1, readonly c: 1, readonly d: 1, readonly e: 1) {} }`,
  'src/server/route.controller.ts': `declare const P: ParameterDecorator; export class C { f(@P a: 1, @P b: 1, @P c: 1, @P d: 1): number { return a + b + c + d; } }`,
  'src/server/empty.module.ts': `export class EmptyModule {}`,
  'src/server/counts.ts': 'export const text = (count: number): string => `${count} pods`;',
  'src/server/waits.ts': `export async function f(): Promise<number> { await Promise.resolve(); return Date.now(); }`,
  'src/core/long.test.ts': `${use}export function f(): void {\n${manyLines(90)}\n}`,
};

describe('the rules of how code is written', () => {
  const checkout = new ScratchCheckout();
  let reports: readonly FileReport[] = [];

  beforeAll(async () => {
    checkout
      .copy('eslint.config.js', 'tsconfig.json', 'package.json')
      .linkNodeModules()
      .write(INNOCENT)
      .write(Object.fromEntries(Object.values(PLANTED).map(([file, source]) => [file, source])));
    const eslint = join(CHECKOUT, 'node_modules', 'eslint', 'bin', 'eslint.js');
    const { stdout } = await checkout.run([eslint, 'src', '--format', 'json']);
    reports = JSON.parse(stdout) as readonly FileReport[];
  });
  afterAll(() => {
    checkout.remove();
  });

  const complaintsAbout = (file: string): FileReport['messages'] =>
    reports.filter(({ filePath }) => filePath.endsWith(`/${file}`)).flatMap(({ messages }) => messages);

  it.each(Object.entries(PLANTED))('object to %s', (_name, [file, , rule, says = '']) => {
    const complaints = complaintsAbout(file).filter(({ ruleId }) => ruleId === rule);
    expect(complaints.map(({ message }) => message).join('\n')).toContain(says);
    expect(complaints.length).toBeGreaterThan(0);
  });

  it.each(Object.keys(INNOCENT))('leave %s alone', (file) => {
    expect(complaintsAbout(file)).toEqual([]);
  });
});
