import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { lawCases } from '../../../../test/support/core-laws.js';
import { ManualTimers } from '../../../../test/support/manual-timers.js';
import { contentOf, ModelApiServer } from '../../../../test/support/model-api-server.js';
import type { Change } from './reflected-store.js';
import { Reflector } from './reflector.js';

type Step = (server: ModelApiServer, timers: ManualTimers) => void;

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const code = fc.constantFrom(401, 403, 404, 410, 429, 500, 503);
const words = ['bookmark', 'end', 'reset', 'error', 'expired'] as const;

/** Writes, and everything that goes wrong between a server and whoever watches it; named for a failure's report. */
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: name.map((of): Step =>
      named(`put ${of}`, (server) => {
        server.put(of);
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: name.map((of): Step =>
      named(`remove ${of}`, (server) => {
        server.remove(of);
      }),
    ),
  },
  name.map((of) =>
    named(`replace ${of}`, (server) => {
      server.remove(of);
      server.put(of);
    }),
  ),
  fc.constant(
    named('compact', (server) => {
      server.compact();
    }),
  ),
  fc.integer({ min: 1, max: 5 }).map((back) =>
    named(`restore ${back}`, (server) => {
      server.restore(back);
    }),
  ),
  fc.constant(
    named('drop', (server) => {
      server.drop();
    }),
  ),
  fc.constantFrom(...words).map((word) =>
    named(`say ${word}`, (server) => {
      server.say(word);
    }),
  ),
  fc.tuple(fc.constantFrom('lists', 'watches'), fc.integer({ min: 1, max: 4 }), code).map(([what, times, with_]) =>
    named(`fail ${times} ${what} with ${with_}`, (server) => {
      server.failing[what] = times;
      server.failing.code = with_;
    }),
  ),
  fc.integer({ min: 1, max: 400 }).map((s) =>
    named(`wait ${s} s`, (_server, timers) => {
      timers.advance(s * 1000);
    }),
  ),
);

function named(title: string, act: (server: ModelApiServer, timers: ManualTimers) => void): Step {
  return Object.assign(
    (...args: Parameters<Step>) => {
      act(...args);
    },
    { [fc.toStringMethod]: () => title },
  );
}

async function ticks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** What somebody knows who only hears the changes; a change that makes no sense is thrown back at the test. */
class Listener {
  readonly known: Record<string, string> = {};
  readonly nonsense: string[] = [];

  readonly hear = ({ kind, key, object }: Change<string>): void => {
    if ((kind === 'added') === key in this.known) this.nonsense.push(`${kind} ${key}@${object}`);
    if (kind === 'deleted') Reflect.deleteProperty(this.known, key);
    else this.known[key] = object;
  };
}

describe('a reflector, whatever happens to its server and to the way there,', () => {
  it('ends up with what the server has, and has told exactly the way there', async () => {
    const history = fc.array(fc.tuple(anyStep, fc.nat(6)), { maxLength: 60 });
    const law = fc.asyncProperty(history, async (steps) => {
      const server = new ModelApiServer();
      const timers = new ManualTimers();
      const listener = new Listener();
      const reflector = new Reflector({
        api: server,
        path: '/pods',
        project: contentOf,
        report: () => undefined,
        timers,
        random: () => 0.5,
        limits: { pageSize: 2 },
      });
      reflector.onChange(listener.hear);
      const starting = reflector.start();
      for (const [step, pause] of steps) {
        step(server, timers);
        await ticks(pause);
      }
      server.heal();
      await starting;
      // What was lost without a sign is found by the next full comparison.
      for (let seconds = 0; seconds < 700; seconds += 10) {
        timers.advance(10_000);
        await ticks(seconds % 60 === 0 ? 8 : 1);
      }
      await ticks(20);
      const stored = Object.fromEntries([...reflector.entries()]);
      await reflector.stop();
      expect(listener.nonsense).toEqual([]);
      expect(stored).toEqual(server.contents);
      expect(listener.known).toEqual(server.contents);
      expect(timers.alarmsSet).toBe(0);
    });
    await fc.assert(law, lawCases(300));
  });
});
