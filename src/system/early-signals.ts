// Imported before anything else: a server ignores SIGHUP and SIGALRM also while its modules are loaded. Its own
// handlers replace these (onSignal); a tool takes them back.

import process from 'node:process'

const IGNORED = ['SIGHUP', 'SIGALRM'] as const
const ignore = (): void => {}

for (const name of IGNORED) {
  try {
    process.on(name, ignore)
  } catch {
    // Windows has no such signal.
  }
}

/** The signals have their default action again. */
export function endEarlySignals(): void {
  for (const name of IGNORED) process.removeListener(name, ignore)
}
