// READONLY, READWRITE and ASKING: flags that the cluster gate looks at.

import type { Command } from '../../engine/catalog/command.ts'
import { CLIENT_ASKING, CLIENT_READONLY } from '../../engine/client.ts'
import type { Context } from '../../engine/context.ts'
import { isClusterOrReply } from './cluster.ts'

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
    run: asking,
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
    run: readOnly,
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
    run: readWrite,
  },
]

function asking(ctx: Context): void {
  if (!isClusterOrReply(ctx)) return
  ctx.client.flags |= CLIENT_ASKING
  ctx.reply.ok()
}

function readOnly(ctx: Context): void {
  if (!isClusterOrReply(ctx)) return
  ctx.client.flags |= CLIENT_READONLY
  ctx.reply.ok()
}

function readWrite(ctx: Context): void {
  if (!isClusterOrReply(ctx)) return
  ctx.client.flags &= ~CLIENT_READONLY
  ctx.reply.ok()
}
