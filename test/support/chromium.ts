import { existsSync } from 'node:fs';
import { describe } from '@jest/globals';
import { chromium, type Browser } from 'playwright-core';

/** Where distributions and vendors put it; the first that exists is used. */
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const HOW_TO_GET_IT = 'Debian and Ubuntu have it as the package chromium: apt-get install chromium.';

const executablePath = PLACES.find((place) => existsSync(place));

/** A suite that needs a real browser: skipped, and that is said, only where there is none. */
export const describeInBrowser = executablePath === undefined ? withoutBrowser() : describe;

export function launchChromium(): Promise<Browser> {
  if (executablePath === undefined) throw new Error(`There is no browser. ${HOW_TO_GET_IT}`);
  // Its sandbox refuses to start as root, which is who a container runs tests as; the pages are our own.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath, args });
}

function withoutBrowser(): typeof describe.skip {
  if (process.env['BERTH_VERIFY'] === '1') throw new Error(`The tests of the page need a browser. ${HOW_TO_GET_IT}`);
  process.stderr.write(`The tests of the page are skipped: they need a browser. ${HOW_TO_GET_IT}\n`);
  return describe.skip;
}
