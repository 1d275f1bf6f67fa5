import { CHECKOUT, inCheckout } from './checkout.mjs';
import { buildDashboard, isDashboardStale } from './dashboard-build.mjs';
import { installDependencies } from './install-dependencies.mjs';
import { missingFromTree } from './installed-tree.mjs';
import { Interrupted, LaunchError, diskFull } from './launch-error.mjs';
import { runNode } from './run-child.mjs';
import { withSetupLock } from './setup-lock.mjs';
import { planSourceBuild } from './source-build.mjs';

/**
 * Brings the checkout into the state the command needs. When it is there already, which is nearly always, this costs a
 * few milliseconds and takes no lock.
 * @param {'installed' | 'built'} state
 * @returns {Promise<void>}
 */
export async function prepare(state) {
  if (isPrepared(state)) return;
  await withSetupLock(CHECKOUT, async () => {
    await installDependencies(CHECKOUT);
    if (state === 'built') await build();
  });
}

/**
 * @param {'installed' | 'built'} state
 * @returns {boolean}
 */
function isPrepared(state) {
  if (missingFromTree(CHECKOUT).length > 0) return false;
  return state === 'installed' || (!areSourcesStale() && !isDashboardStale(CHECKOUT));
}

/** @returns {boolean} */
function areSourcesStale() {
  const { stale, orphans } = planSourceBuild(CHECKOUT);
  return stale.length > 0 || orphans.length > 0;
}

/** @returns {Promise<void>} */
async function build() {
  if (areSourcesStale()) {
    const ended = await runNode([inCheckout('src', 'launcher', 'compile-sources.mjs')], { output: 'capture' });
    if (ended.isInterrupted) throw new Interrupted(ended.code);
    if (/\bENOSPC\b/.test(ended.output)) throw diskFull(CHECKOUT);
    if (ended.code !== 0) throw new LaunchError(`The sources do not compile:\n${ended.output.trim()}`);
  }
  if (isDashboardStale(CHECKOUT)) await buildDashboard(CHECKOUT);
}
