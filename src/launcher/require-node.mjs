// This file and the two entry files stay within what Node 12 can parse: an old Node must get as far as this sentence.

const WANTED = [20, 19, 0];

/**
 * The sentence for a Node that is too old, or undefined for one that will do.
 * @param {string} version such as `18.12.1`
 * @returns {string | undefined}
 */
export function complaintAboutNode(version) {
  const have = version.split('.').map(Number);
  for (let i = 0; i < WANTED.length; i++) {
    const ahead = (have[i] || 0) - (WANTED[i] || 0);
    if (ahead > 0) return undefined;
    if (ahead < 0) {
      return 'Node ' + version + ' is too old: Berth needs ' + WANTED.join('.') + ' or newer, see https://nodejs.org.';
    }
  }
  return undefined;
}

/** Ends the process with one line when this Node is too old to run the rest of the launcher. */
export function requireNode() {
  const complaint = complaintAboutNode(process.versions.node);
  if (complaint === undefined) return;
  process.stderr.write('berth: ' + complaint + '\n');
  process.exit(1);
}
