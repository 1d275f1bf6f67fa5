/**
 * Every reference that is generated and committed. `npm run verify` makes each again and fails when git then sees a
 * difference. A new generator is a new line here.
 * @type {readonly { readonly makes: string, readonly name: string, readonly args: readonly string[] }[]}
 */
export const GENERATORS = [
  {
    name: 'OpenAPI document',
    makes: 'docs/reference/api/openapi.json',
    args: ['dist/cli/main.js', 'openapi', '--out', 'docs/reference/api/openapi.json'],
  },
];
