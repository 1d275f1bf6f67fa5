import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const SCRIPTS = ['**/*.mjs', '*.js', '*.cjs'];
const TESTS = ['**/*.test.ts', '**/*.test.tsx', 'test/**/*.ts', 'test/**/*.mjs'];
/** Tools that find their configuration, or a plug-in, by its default export. */
const TOOL_CONFIGURATION = [
  '*.config.js',
  '*.cjs',
  'src/dashboard/vite.config.ts',
  'test/support/{closing-line,before-tests,after-tests}.mjs',
];
/** Parsed by any Node, also by one that is too old, so that it can say so. */
const FIRST_LINES = ['src/launcher/berth.mjs', 'src/launcher/launch.mjs', 'src/launcher/require-node.mjs'];

/** The rule `no-restricted-syntax` has one list a file, so each kind of file below gets all that holds for it. */
const FEW_PARAMETERS = [
  {
    selector:
      ':matches(FunctionDeclaration, FunctionExpression, ArrowFunctionExpression, TSDeclareFunction, TSFunctionType, ' +
      'TSMethodSignature, TSEmptyBodyFunctionExpression)[params.length>3]' +
      ':not(MethodDefinition[kind="constructor"] > *):not(:has(> [decorators.length>0]))',
    message: 'At most three positional parameters, then one object.',
  },
  {
    // What a route takes from its request is injected too, by name and not by position.
    selector: 'MethodDefinition > [params.length>5]:has(> [decorators.length>0])',
    message: 'A route takes at most five things from its request.',
  },
  {
    selector: 'MethodDefinition[kind="constructor"] > [params.length>3]:not(:has(> TSParameterProperty))',
    message: 'At most three positional parameters, then one object.',
  },
  {
    selector: 'MethodDefinition[kind="constructor"] > [params.length>5]',
    message: 'A constructor injects at most five things.',
  },
];
const NO_DEFAULT_EXPORT = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only, outside the configuration of tools.' },
  {
    selector: 'ExportSpecifier[exported.name="default"]',
    message: 'Named exports only, outside the configuration of tools.',
  },
];
const NO_WAITING = [
  { selector: 'AwaitExpression', message: 'The core is synchronous.' },
  { selector: ':function[async=true]', message: 'The core is synchronous.' },
  { selector: 'ForOfStatement[await=true]', message: 'The core is synchronous.' },
];
const NO_CLOCK_OR_OUTSIDE_WORLD = [
  ...['Date', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'].map((name) => ({
    name,
    message: 'The core gets the time as a value.',
  })),
  ...['process', 'fetch', 'crypto', 'console', 'Intl', 'Promise', 'Buffer'].map((name) => ({
    name,
    message: 'The core is pure: same events, same decisions, no outside world.',
  })),
];
const NO_CHANCE_OR_LOCALE = [
  { object: 'Math', property: 'random', message: 'Randomness has a seed, given as a value.' },
  { object: 'globalThis', property: 'Date', message: 'The core gets the time as a value.' },
  { property: 'localeCompare', message: 'Sort in code-unit order: a locale must not decide.' },
  { property: 'toLocaleString', message: 'A locale must not decide.' },
];
const NODE_12_PARSES = [
  { selector: 'ChainExpression', message: 'An old Node must be able to parse this file.' },
  { selector: 'LogicalExpression[operator="??"]', message: 'An old Node must be able to parse this file.' },
  {
    selector: 'AssignmentExpression[operator=/^(\\?\\?|\\|\\||&&)=$/]',
    message: 'An old Node must be able to parse this file.',
  },
  { selector: 'PropertyDefinition', message: 'An old Node must be able to parse this file.' },
  { selector: 'AwaitExpression', message: 'An old Node must be able to parse this file.' },
  { selector: 'ImportDeclaration[source.value=/^node:/]', message: 'An old Node must be able to load this file.' },
];

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', '.berth/']),
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', '*.cjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      // Two names of equal type, such as of nodes and of queues, say more than `string`.
      '@typescript-eslint/no-duplicate-type-constituents': ['error', { ignoreUnions: true }],
      // Nest declares the options of its factories as classes, and means literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // It does not see what only a decorator reads.
      'no-useless-assignment': 'off',
      // A module of Nest is a class that only carries a decorator.
      '@typescript-eslint/no-extraneous-class': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': ['error', ...FEW_PARAMETERS, ...NO_DEFAULT_EXPORT],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/core/**/*.ts'],
    ignores: TESTS,
    rules: {
      'no-restricted-globals': ['error', ...NO_CLOCK_OR_OUTSIDE_WORLD],
      'no-restricted-properties': ['error', ...NO_CHANCE_OR_LOCALE],
      'no-restricted-syntax': ['error', ...FEW_PARAMETERS, ...NO_DEFAULT_EXPORT, ...NO_WAITING],
    },
  },
  {
    files: TESTS,
    rules: {
      // The body of `describe` is a function too, and a table of cases is long.
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      // `expect.objectContaining` and its kin are typed as any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    files: SCRIPTS,
    // Their types are in JSDoc, which these two rules do not read.
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off', 'no-undef': 'off' },
  },
  { files: ['*.js', '*.cjs'], extends: [tseslint.configs.disableTypeChecked] },
  { files: TOOL_CONFIGURATION, rules: { 'no-restricted-syntax': ['error', ...FEW_PARAMETERS] } },
  {
    files: FIRST_LINES,
    rules: { 'no-restricted-syntax': ['error', ...FEW_PARAMETERS, ...NO_DEFAULT_EXPORT, ...NODE_12_PARSES] },
  },
  prettier,
);
