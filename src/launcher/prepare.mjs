import { CHECKOUT, inCheckout } from './checkout.mjs';
import { buildDashboard, isDashboardStale } from './dashboard-build.mjs';
import { installDependencies } from './install-dependencies.mjs';
import { missingFromTree } from './installed-tree.mjs';
import { Interrupted, LaunchError, diskFull } from './launch-error.mjs';
import { runNode } from './run-child.mjs';
import { withSetupLock } from './setup-lock.mjs';
import { planSourceBuild } from './source-build.mjs';

/**
 * Installs and builds what is missing. When nothing is, which is nearly always, this costs a few milliseconds and takes
 * no lock.
 * @returns {Promise<void>}
 */
export async function prepare() {
  if (isPrepared()) return;
  await withSetupLock(CHECKOUT, async () => {
    await installDependencies(CHECKOUT);
    await build();
  });
}

/** @returns {boolean} */
function isPrepared() {
  return missingFromTree(CHECKOUT).length === 0 && !areSourcesStale() && !isDashboardStale(CHECKOUT);
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
