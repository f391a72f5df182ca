// Keeps which test titles passed, for `npm run requirements`, and ends with one plain line that any CI can read.
const { mkdirSync, renameSync, writeFileSync } = require('node:fs');
const { join, relative } = require('node:path');

class RequirementReporter {
  constructor(globalConfig, { suite }) {
    this.rootDir = globalConfig.rootDir;
    this.suite = suite;
    // A run of chosen files or names says nothing about the rest, so it must not replace a whole run's record.
    const { testPathPatterns, testNamePattern, onlyChanged } = globalConfig;
    const patterns = testPathPatterns?.patterns ?? [];
    this.isWholeRun = patterns.length === 0 && !testNamePattern && !onlyChanged;
  }

  onRunComplete(_contexts, results) {
    const files = results.testResults.map((file) => ({
      file: relative(this.rootDir, file.testFilePath).split('\\').join('/'),
      error: file.testExecError ? String(file.testExecError.message ?? file.testExecError) : undefined,
      tests: file.testResults.map(({ fullName, status, duration }) => ({
        title: fullName,
        status,
        durationMs: duration,
      })),
    }));
    // A file that does not even load counts as one failure.
    const broken = results.testResults.filter((file) => file.testExecError && file.testResults.length === 0).length;
    const passed = results.numPassedTests;
    const failed = results.numFailedTests + broken;
    const ranAt = new Date(results.startTime).toISOString();
    const skipped = results.numPendingTests + results.numTodoTests;
    if (this.isWholeRun && !results.wasInterrupted) {
      const folder = join(this.rootDir, '.moon', 'test-results');
      mkdirSync(folder, { recursive: true });
      const path = join(folder, `${this.suite}.json`);
      writeFileSync(
        `${path}.draft`,
        JSON.stringify({ suite: this.suite, ranAt, passed, failed, skipped, files }, null, 1),
      );
      renameSync(`${path}.draft`, path);
    }
    process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  }
}

module.exports = RequirementReporter;
