// READONLY, READWRITE and ASKING as a server without cluster mode answers them.

import type { Command } from '../../engine/command.ts'
import { disabled } from './cluster.ts'

export const modeCommands: readonly Command[] = [
  {
    name: 'asking',
    arity: 1,
    flags: 'fast',
    since: '3.0.0',
    group: 'cluster',
    summary: 'Signals that a cluster client is following an -ASK redirect.',
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
    summary: 'Enables read-only queries for a connection to a Redis Cluster replica node.',
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
    summary: 'Enables read-write queries for a connection to a Reids Cluster replica node.',
    complexity: 'O(1)',
    acl: 'connection',
    run: disabled,
  },
]
