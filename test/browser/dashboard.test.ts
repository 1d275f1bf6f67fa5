import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import type { ApiClient } from '../../src/cli/api-client.js';
import { wrapJob } from '../../src/cli/wrap-job.js';
import type { WorkloadDocumentInput } from '../../src/server/workloads/workload.schema.js';
import { JobSchema } from '../../src/trainer/contract.js';
import { describeInBrowser, launchChromium } from '../support/chromium.js';
import { until } from '../support/observation-log.js';
import { ServerProcess } from '../support/server-process.js';

const START_MS_MAX = 120_000;
const TRAINING_MS_MAX = 150_000;
const ROWS = 3_000;
const EPOCHS = 12;

describeInBrowser('the page', () => {
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  const started: (() => Promise<void>)[] = [];
  let browser: Browser;
  let server: ServerProcess;
  let client: ApiClient;

  beforeAll(async () => {
    browser = await launchChromium();
    started.push(() => browser.close());
    server = await ServerProcess.start();
    started.push(() => server.remove());
    client = server.client;
  }, START_MS_MAX);

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    expect(complaints.splice(0)).toEqual([]);
    // Whatever a test left, also one that failed: the next one begins with nothing. One that has ended is removed.
    await until('no workloads', async () => {
      const workloads = await client.workloads();
      await Promise.all(workloads.map(({ metadata }) => client.cancelWorkload(metadata.uid)));
      return workloads.length === 0;
    });
  });

  afterAll(async () => {
    await Promise.all(started.map((stop) => stop()));
  }, START_MS_MAX);

  async function visit(path: string, width = 1280): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height: 900 } });
    contexts.push(context);
    const page = await context.newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      // What the page is refused shows as an error of the network, which is meant in these tests.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        complaints.push(message.text());
      }
    });
    await page.goto(client.server + path);
    return page;
  }

  async function signIn(width?: number): Promise<Page> {
    const { code } = await client.createSessionCode();
    const page = await visit(`/#code=${code}`, width);
    await isLive(page);
    return page;
  }

  it('says how to get in without a session, and asks for nothing else', async () => {
    const page = await visit('/');
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    expect(await page.getByText('npx berth dashboard').isVisible()).toBe(true);
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('takes the code of the link out of the address, for a session that outlives a reload', async () => {
    const page = await signIn();
    expect(page.url()).toBe(`${client.server}/`);
    await page.reload();
    await isLive(page);
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
  });

  it('says of a used code that it was used, also when the link is put into the open page', async () => {
    const { code } = await client.createSessionCode();
    await isLive(await visit(`/#code=${code}`));
    const stranger = await visit('/');
    await stranger.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await stranger.goto(`${client.server}/#code=${code}`);
    const alert = stranger.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toContain('was used or has expired');
    expect(stranger.url()).not.toContain(code);
  });

  it('shows every node in its rack or slice with its devices, and the quota of each queue', async () => {
    const page = await signIn();
    const fleet = page.getByRole('region', { name: 'Fleet' });
    const nodesIn = (group: string): Promise<number> =>
      fleet
        .getByRole('region', { name: group })
        .getByRole('listitem', { name: /healthy/ })
        .count();
    expect(await Promise.all(['rack a', 'rack b', 'rack c', 'slice tpu'].map(nodesIn))).toEqual([4, 4, 4, 2]);
    expect(await fleet.getByRole('img', { name: /^Slot \d+: free$/ }).count()).toBe(12 * 8 + 2 * 4);
    expect(await fleet.getByRole('list', { name: 'Teams' }).innerText()).toMatch(/product\s+research\s+free/);
    const research = page.getByRole('listitem', { name: 'Queue research' });
    const quota = research.getByRole('meter', { name: 'Use of nvidia-h100' });
    expect(await quota.getAttribute('aria-valuetext')).toBe('0 of 32 used, at most 48');
  });

  it('fits a telephone', async () => {
    const page = await signIn(400);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400);
  });

  it(
    'follows a training from its submission to its report without a reload',
    async () => {
      const page = await signIn();
      await page.getByText('No workloads yet').waitFor();
      const { metadata } = await client.createWorkload(aTraining('iris', server.folder));
      const row = page.getByRole('row', { name: 'iris' });
      await row.getByRole('progressbar').waitFor({ timeout: TRAINING_MS_MAX });
      const seen = await recordProgress(row);
      expect(await slotsOf(page, 'iris').count()).toBe(2);
      expect(await slotsOf(page, 'iris').locator('[data-team=research]').count()).toBe(2);
      await page.getByText('2 of 104 devices in use').waitFor();

      await row.getByText('succeeded').waitFor({ timeout: TRAINING_MS_MAX });
      const shares = await seen();
      expect(shares.length).toBeGreaterThan(2);
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
      await slotsOf(page, 'iris').first().waitFor({ state: 'detached' });

      const { accuracy = Number.NaN } = (await client.report(metadata.uid)).test;
      await row.getByText(accuracy.toFixed(4)).waitFor();
      const opened = page.context().waitForEvent('page');
      await row.getByRole('link', { name: 'Report of iris' }).click();
      const report = await opened;
      await report.waitForLoadState();
      expect(await report.content()).toContain(accuracy.toFixed(4));

      await client.cancelWorkload(metadata.uid);
      await row.waitFor({ state: 'detached' });
    },
    2 * TRAINING_MS_MAX,
  );

  it('tells why a workload waits, in a sentence and on demand in full', async () => {
    const page = await signIn();
    const { metadata } = await client.createWorkload(aTraining('big', server.folder, { pods: 7, gpus: 8 }));
    const row = page.getByRole('row', { name: 'big' });
    await row.getByText('quota').waitFor();
    await row.getByRole('button', { name: 'Why does big wait?' }).press('Enter');
    await row.getByText((await client.explain(metadata.uid)).sentence).waitFor();
    await client.cancelWorkload(metadata.uid);
    await row.getByText('cancelled').waitFor();
  });

  it('shows a cordoned node and a lost one in words, and the details of a node on a click', async () => {
    const page = await signIn();
    await client.operateNode('a100-c-0', 'cordon');
    await client.operateNode('a100-c-1', 'fail');
    await page.getByRole('listitem', { name: 'a100-c-0, cordoned' }).getByText('cordoned').waitFor();
    const lost = page.getByRole('listitem', { name: 'a100-c-1, lost' });
    await lost.getByText('lost').waitFor();
    await page.getByText('12 of 14 nodes usable').waitFor();

    await lost.getByRole('button').click();
    const details = page.getByRole('dialog', { name: 'a100-c-1' });
    await details.getByText('failed by an operator').waitFor();
    await page.keyboard.press('Escape');
    await details.waitFor({ state: 'detached' });

    await client.operateNode('a100-c-1', 'restore');
    await client.operateNode('a100-c-0', 'uncordon');
    await page.getByText('14 of 14 nodes usable').waitFor();
  });

  it(
    'says that the connection is lost while the server is dead, keeps what it knew, and is live again by itself',
    async () => {
      const page = await signIn();
      await server.kill();
      await page.getByText(/^Connection lost, last update \d\d:\d\d:\d\d; trying again/).waitFor();
      expect(await page.getByRole('listitem', { name: /healthy/ }).count()).toBe(14);
      await server.start();
      await isLive(page);
    },
    START_MS_MAX,
  );
});

async function isLive(page: Page): Promise<void> {
  await page.getByRole('status').getByText('Live', { exact: true }).waitFor();
}

function slotsOf(page: Page, workload: string): Locator {
  return page.getByRole('img', { name: new RegExp(`^Slot \\d+: ${workload} of `) });
}

/** Notes each value that the progress bar has from now on, however short it is shown; the result is asked for later. */
async function recordProgress(row: Locator): Promise<() => Promise<readonly number[]>> {
  const recording = await row.evaluateHandle((element) => {
    const shown = (): number => Number(element.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow') ?? 0);
    const values = [shown()];
    new MutationObserver(() => {
      if (values.at(-1) !== shown()) values.push(shown());
    }).observe(element, { subtree: true, childList: true, attributes: true });
    return values;
  });
  return () => recording.jsonValue();
}

/** A training that a small machine ends in seconds, on data that a line separates. */
function aTraining(
  name: string,
  folder: string,
  { pods = 1, gpus = 2 }: { readonly pods?: number; readonly gpus?: number } = {},
): WorkloadDocumentInput {
  const rows = Array.from({ length: ROWS }, (_, index) => {
    const [x, y] = [Math.sin(index), Math.cos(index * 1.7)];
    return `${x.toFixed(4)},${y.toFixed(4)},${x + y > 0 ? 'above' : 'below'}`;
  });
  const train = join(folder, 'line.csv');
  writeFileSync(train, ['x,y,side', ...rows].join('\n'));
  const job = JobSchema.parse({
    name,
    data: { format: 'csv', train, test: train },
    features: [
      { name: 'x', type: 'number' },
      { name: 'y', type: 'number' },
    ],
    target: { name: 'side', type: 'binary' },
    model: { type: 'mlp', hidden: [16] },
    train: { epochs: EPOCHS, batchSize: 16 },
  });
  const workload = wrapJob(job, { queue: 'research', gpus, flavors: ['nvidia-h100'] });
  return {
    ...workload,
    spec: { ...workload.spec, podSets: workload.spec.podSets.map((set) => ({ ...set, count: pods })) },
  };
}
