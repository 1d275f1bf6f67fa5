import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CHECKOUT } from '../support/scratch-checkout.js';

/** Written in pieces, so that this file may itself be committed. */
const FORBIDDEN: Readonly<Record<string, RegExp>> = {
  'the address of a package registry': new RegExp(
    ['https?://[\\w.-]*(regis', 'try|artifactory|verdaccio|nexus)[\\w.-]*'].join(''),
    'i',
  ),
  'a path of one machine': new RegExp(['(^|[\\s"\'`(=:])/(wo', 'rk|ro', 'ot|home/[a-z]+)/'].join(''), 'm'),
};

function complaintsAbout(text: string): string[] {
  return Object.entries(FORBIDDEN).flatMap(([name, pattern]) => {
    const found = pattern.exec(text);
    return found === null ? [] : [`${name}: ${found[0].trim()}`];
  });
}

describe('committed text', () => {
  it('names no package registry and no path of one machine', () => {
    const files = execFileSync('git', ['-c', 'safe.directory=*', 'ls-files', '-z'], {
      cwd: CHECKOUT,
      encoding: 'utf8',
    }).split('\0');
    const complaints = files
      .filter((file) => file !== '' && existsSync(join(CHECKOUT, file)))
      .map((file) => ({ file, content: readFileSync(join(CHECKOUT, file)) }))
      .filter(({ content }) => !content.includes(0)) // a zero byte: no text
      .flatMap(({ file, content }) => complaintsAbout(content.toString('utf8')).map((what) => `${file}: ${what}`));
    expect(complaints).toEqual([]);
  });

  it.each([
    ['"resolved": "https://regis', 'try.example.org/zod/-/zod-4.tgz"'],
    ['see /wo', 'rk/main/src'],
    ['cd "/ro', 'ot/berth"'],
    ['/ho', 'me/ada/berth'],
  ])('would be refused with %s…', (start, end) => {
    expect(complaintsAbout(start + end)).toHaveLength(1);
  });
});
