// READONLY, READWRITE and ASKING without cluster mode.

import type { Command } from '../../engine/catalog/command.ts'
import { disabled } from './cluster.ts'

export const modeCommands: readonly Command[] = [
  {
    name: 'asking',
    arity: 1,
    flags: 'fast',
    since: '3.0.0',
    group: 'cluster',
    summary: 'Let the next command through to a slot that is being imported, after an -ASK redirect.',
    complexity: 'O(1)',
    acl: 'connection',
    run: disabled,
  },
  {
    name: 'readonly',
    arity: 1,
    flags: 'fast loading stale',
    since: '3.0.0',
    group: 'cluster',
    summary: 'Allow this connection to read from a replica of a cluster.',
    complexity: 'O(1)',
    acl: 'connection',
    run: disabled,
  },
  {
    name: 'readwrite',
    arity: 1,
    flags: 'fast loading stale',
    since: '3.0.0',
    group: 'cluster',
    summary: 'Send reads to the primary again, after READONLY.',
    complexity: 'O(1)',
    acl: 'connection',
    run: disabled,
  },
]
