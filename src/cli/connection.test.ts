import { describe, expect, it } from '@jest/globals';
import { chooseConnection, type ConnectionFlags } from './connection.js';

const FILE = {
  'current-context': 'local',
  contexts: [
    { name: 'local', server: 'http://127.0.0.1:7411/', token: 'local-token' },
    { name: 'far', server: 'https://berth.example', token: 'far-token' },
  ],
};

const cases: Record<
  string,
  { flags?: ConnectionFlags; environment?: Record<string, string>; want: { server: string; token: string | undefined } }
> = {
  'takes the current context, without the slash at its end': {
    want: { server: 'http://127.0.0.1:7411', token: 'local-token' },
  },
  'takes the context that a flag names': {
    flags: { context: 'far' },
    want: { server: 'https://berth.example', token: 'far-token' },
  },
  'prefers the environment to the file': {
    environment: { BERTH_SERVER: 'http://b', BERTH_TOKEN: 'b' },
    want: { server: 'http://b', token: 'b' },
  },
  'prefers flags to the environment': {
    flags: { server: 'http://a', token: 'a' },
    environment: { BERTH_SERVER: 'http://b', BERTH_TOKEN: 'b' },
    want: { server: 'http://a', token: 'a' },
  },
  'takes an empty variable for none': {
    environment: { BERTH_SERVER: '', BERTH_TOKEN: '' },
    want: { server: 'http://127.0.0.1:7411', token: 'local-token' },
  },
  'sends the token of the file to no other server': {
    flags: { server: 'http://stranger' },
    want: { server: 'http://stranger', token: undefined },
  },
  'sends it to its own server, also when that is named again': {
    flags: { server: 'http://127.0.0.1:7411' },
    want: { server: 'http://127.0.0.1:7411', token: 'local-token' },
  },
};

describe(chooseConnection.name, () => {
  it.each(Object.entries(cases))('%s', (_title, { flags = {}, environment = {}, want }) => {
    expect(chooseConnection(flags, environment, FILE)).toEqual(want);
  });

  it('says how to begin when nothing is configured', () => {
    expect(() => chooseConnection({}, {}, { contexts: [] })).toThrow(
      'No server is configured: start one with `npm start` or `berth up`, or name one with --server.',
    );
  });

  it('names the contexts there are', () => {
    expect(() => chooseConnection({ context: 'lokal' }, {}, FILE)).toThrow(
      'No context lokal in the configuration; it has local, far.',
    );
  });

  it('refuses what is no address', () => {
    expect(() => chooseConnection({ server: 'localhost:7411' }, {}, FILE)).toThrow(
      'localhost:7411 is no address of a server',
    );
  });
});
