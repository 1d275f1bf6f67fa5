import { LaunchError, diskFull } from './launch-error.mjs';

const NETWORK_CODES =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT)\b/;

/**
 * Turns what a failed `npm ci` printed into one line with the next step.
 * @param {string} output
 * @param {string} root
 * @returns {LaunchError}
 */
export function explainInstallFailure(output, root) {
  if (/\bENOSPC\b/.test(output)) return diskFull(root);
  const network = NETWORK_CODES.exec(output)?.[1];
  if (network !== undefined) {
    return new LaunchError(
      `Cannot reach the npm registry (${network}), and the dependencies are not installed yet: ` +
        'check the network, or the proxy and registry in `npm config list`, then run the same command again.',
    );
  }
  if (/\bEUSAGE\b/.test(output)) {
    return new LaunchError('package-lock.json does not fit package.json: run `npm install` and commit the lockfile.');
  }
  const denied = /\b(EACCES|EPERM|EROFS)\b/.exec(output)?.[1];
  if (denied !== undefined) {
    return new LaunchError(
      `npm may not write under ${root} or its cache (${denied}): give yourself those folders, then try again.`,
    );
  }
  return new LaunchError(
    `The dependencies could not be installed: ${lastErrorLine(output)} Run \`npm ci\` to see it all.`,
  );
}

/**
 * @param {string} output
 * @returns {string}
 */
function lastErrorLine(output) {
  const lines = output.split('\n').filter((line) => /^npm error (?!A complete log)/.test(line));
  const line = lines[lines.length > 1 ? 1 : 0] ?? 'npm gave no reason';
  return line.replace(/^npm error /, '').replace(/\.?$/, '.');
}
