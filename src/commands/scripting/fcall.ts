// FCALL, FCALL_RO; implemented in src/scripting.

import type { Command } from '../../engine/catalog/command.ts'

export const callingCommands: readonly Command[] = [
  {
    name: 'fcall',
    arity: -3,
    flags: 'noscript skip_monitor may_replicate no_mandatory_keys stale',
    keys: 'RW ACCESS UPDATE @2#0+1 (the script may read and write any of them)',
    keyFinder: 'numkeys2',
    since: '7.0.0',
    group: 'scripting',
    summary: 'Call a function of a loaded library.',
    complexity: 'Whatever the function takes.',
    args: 'function numkeys:integer [key#0...] [arg...]',
    run: ctx => ctx.server.scripting.callFunction(ctx, false),
  },
  {
    name: 'fcall_ro',
    arity: -3,
    flags: 'noscript skip_monitor no_mandatory_keys stale readonly',
    keys: 'RO ACCESS @2#0+1 (the script may read any of them)',
    keyFinder: 'numkeys2',
    since: '7.0.0',
    group: 'scripting',
    summary: 'Call a function of a loaded library that may not write.',
    complexity: 'Whatever the function takes.',
    args: 'function numkeys:integer [key#0...] [arg...]',
    run: ctx => ctx.server.scripting.callFunction(ctx, true),
  },
]
