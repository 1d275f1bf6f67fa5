/**
 * What Jest counts, of which this needs five numbers.
 * @typedef {object} Counts
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {number} numRuntimeErrorTestSuites
 */

/** Ends a run with one plain line that scripts can read: `12 passed, 0 failed, 1 skipped`. */
class ClosingLine {
  /**
   * @param {unknown} _contexts
   * @param {Counts} results
   */
  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } = results;
    // A suite that could not even be loaded has run no test, and must not look like a pass.
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    const skipped = numPendingTests + numTodoTests;
    // At the very end, because Jest's own summary is written late.
    process.on('exit', () =>
      process.stdout.write(`\n${numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`),
    );
  }
}

// Jest loads a reporter by its default export.
export default ClosingLine;
