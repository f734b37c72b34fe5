// Commands that a sentinel has in another form than a server: INFO, ROLE, PUBLISH.

import type { Command } from '../engine/catalog/command.ts'
import type { Context } from '../engine/context.ts'
import { HELLO_CHANNEL, processHello } from './hello.ts'
import { O_DOWN, S_DOWN } from './instance.ts'
import type { Sentinel } from './sentinel.ts'

/** Sections of INFO that a sentinel has. */
const SECTIONS = ['server', 'clients', 'cpu', 'stats', 'sentinel']
const SECTION_BYTES_MAX = 64

export function replacedCommands(sentinel: Sentinel): Command[] {
  return [
    {
      name: 'info',
      arity: -1,
      flags: 'loading stale sentinel',
      since: '1.0.0',
      group: 'server',
      summary: 'Report facts and counters of the sentinel, in sections.',
      complexity: 'O(1)',
      args: '[section...]',
      acl: 'dangerous',
      run: ctx => info(sentinel, ctx),
    },
    {
      name: 'role',
      arity: 1,
      flags: 'noscript loading stale fast sentinel',
      since: '2.8.12',
      group: 'server',
      summary: 'Tell that this is a sentinel, and which primaries it monitors.',
      complexity: 'O(1)',
      acl: 'admin dangerous',
      run: ctx => role(sentinel, ctx),
    },
    {
      name: 'publish',
      arity: 3,
      flags: 'pubsub loading stale fast may_replicate sentinel',
      channels: 'publish',
      since: '2.0.0',
      group: 'pubsub',
      summary: 'Hand a hello message of another sentinel to this one.',
      complexity: 'O(1)',
      args: 'channel message',
      run: ctx => publish(sentinel, ctx),
    },
  ]
}

function info(sentinel: Sentinel, ctx: Context): void {
  const asked = ctx.args.slice(1, ctx.argc).map(arg => arg.latin1Prefix(SECTION_BYTES_MAX).toLowerCase())
  const all = asked.length === 0 || ['all', 'everything', 'default'].some(one => asked.includes(one))
  const sections = all ? SECTIONS : SECTIONS.filter(one => asked.includes(one))
  const common = sections.filter(one => one !== 'sentinel')
  const texts = common.length > 0 ? [ctx.server.host.infoText(common)] : []
  if (sections.includes('sentinel')) texts.push(infoOfPrimaries(sentinel))
  ctx.reply.verbatim('txt', texts.join('\r\n'))
}

function infoOfPrimaries(sentinel: Sentinel): string {
  const { scripts, tilt, nowMs, addresses } = sentinel
  const lines = [
    '# Sentinel',
    `sentinel_masters:${sentinel.primaries.size}`,
    `sentinel_tilt:${tilt ? 1 : 0}`,
    `sentinel_tilt_since_seconds:${tilt ? Math.floor((nowMs - sentinel.tiltSinceMs) / 1000) : -1}`,
    `sentinel_running_scripts:${scripts.running}`,
    `sentinel_scripts_queue_length:${scripts.queue.length}`,
    `sentinel_simulate_failure_flags:${Number(sentinel.crashAfterElection) + 2 * Number(sentinel.crashAfterPromotion)}`,
  ]
  let id = 0
  for (const primary of sentinel.primaries.values()) {
    const status = primary.has(O_DOWN) ? 'odown' : primary.has(S_DOWN) ? 'sdown' : 'ok'
    const address = `${addresses.announced(primary.address)}:${primary.address.port}`
    const counts = `slaves=${primary.replicas.size},sentinels=${primary.sentinels.size + 1}`
    lines.push(`master${id++}:name=${primary.name},status=${status},address=${address},${counts}`)
  }
  return `${lines.join('\r\n')}\r\n`
}

function role(sentinel: Sentinel, { reply }: Context): void {
  reply.array(2)
  reply.bulkText('sentinel')
  reply.array(sentinel.primaries.size)
  for (const name of sentinel.primaries.keys()) reply.bulkText(name)
}

function publish(sentinel: Sentinel, { args, reply }: Context): void {
  if (args[1].latin1() !== HELLO_CHANNEL)
    return reply.error('ERR Only HELLO messages are accepted by Sentinel instances.')
  processHello(sentinel, args[2].latin1())
  reply.integer(1)
}
