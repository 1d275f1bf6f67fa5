import { describe, expect, it } from '@jest/globals';
import { explainInstallFailure } from './install-failure.mjs';

/** What npm prints, and the start of what we make of it; the failures that a test can provoke are in `test/repository`. */
const cases: Record<string, { output: string; want: string }> = {
  'a folder that belongs to someone else': {
    output:
      'npm error code EACCES\nnpm error syscall mkdir\nnpm error path /srv/berth/node_modules\nnpm error errno -13\n',
    want: 'npm may not write under /srv/berth or its cache (EACCES): give yourself those folders, then try again.',
  },
  'a proxy that never answers': {
    output: 'npm error code ETIMEDOUT\nnpm error network request to the registry failed\n',
    want: 'Cannot reach the npm registry (ETIMEDOUT), and the dependencies are not installed yet: check the network,',
  },
  'anything else, in the words of npm': {
    output:
      'npm warn old lockfile\nnpm error code EINTEGRITY\nnpm error sha512-x integrity checksum failed\nnpm error A complete log of this run\n',
    want: 'The dependencies could not be installed: sha512-x integrity checksum failed. Run `npm ci` to see it all.',
  },
  silence: {
    output: '',
    want: 'The dependencies could not be installed: npm gave no reason. Run `npm ci` to see it all.',
  },
};

describe(explainInstallFailure.name, () => {
  it.each(Object.entries(cases))('explains %s', (_name, { output, want }) => {
    const { message } = explainInstallFailure(output, '/srv/berth');
    expect(message.startsWith(want)).toBe(true);
    expect(message).not.toContain('\n');
  });
});
