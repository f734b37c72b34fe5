// Functions that are called: FCALL, FCALL_RO. What they do stands in src/scripting.

import type { Command } from '../../engine/command.ts'

export const callingCommands: readonly Command[] = [
  {
    name: 'fcall',
    arity: -3,
    flags: 'noscript skip_monitor may_replicate no_mandatory_keys stale',
    keys: 'RW ACCESS UPDATE @2#0+1 (We cannot tell how the keys will be used so we assume the worst, RW and UPDATE)',
    keyFinder: 'numkeys2',
    since: '7.0.0',
    group: 'scripting',
    summary: 'Invokes a function.',
    complexity: 'Depends on the function that is executed.',
    args: 'function numkeys:integer [key#0...] [arg...]',
    run: ctx => ctx.engine.scripting.callFunction(ctx, false),
  },
  {
    name: 'fcall_ro',
    arity: -3,
    flags: 'noscript skip_monitor no_mandatory_keys stale readonly',
    keys: 'RO ACCESS @2#0+1 (We cannot tell how the keys will be used so we assume the worst, RO and ACCESS)',
    keyFinder: 'numkeys2',
    since: '7.0.0',
    group: 'scripting',
    summary: 'Invokes a read-only function.',
    complexity: 'Depends on the function that is executed.',
    args: 'function numkeys:integer [key#0...] [arg...]',
    run: ctx => ctx.engine.scripting.callFunction(ctx, true),
  },
]
