// CLIENT TRACKING, CACHING, TRACKINGINFO, GETREDIR: client-side caching.

import type { Command } from '../../../engine/catalog/command.ts'
import type { Context } from '../../../engine/context.ts'
import type { TrackingOptions, TrackingState } from '../../../engine/messaging/tracking.ts'

export const trackingSubcommands: readonly Command[] = [
  {
    name: 'caching',
    arity: 3,
    flags: 'noscript loading stale sentinel',
    since: '6.0.0',
    group: 'connection',
    summary: 'Say whether the keys of the next command are to be tracked, in OPTIN or OPTOUT mode.',
    complexity: 'O(1)',
    args: 'mode:(YES|NO)',
    run: caching,
  },
  {
    name: 'getredir',
    arity: 2,
    flags: 'noscript loading stale sentinel',
    since: '6.0.0',
    group: 'connection',
    summary: "Return the id of the client that gets this connection's invalidation messages.",
    complexity: 'O(1)',
    run: ctx => ctx.reply.integer(stateOf(ctx)?.redirect ?? -1),
  },
  {
    name: 'tracking',
    arity: -3,
    flags: 'noscript loading stale sentinel',
    since: '6.0.0',
    group: 'connection',
    summary: 'Switch invalidation messages for a client-side cache on or off.',
    complexity: 'O(1); broadcasting takes longer with more prefixes.',
    args: 'status:(ON|OFF) [REDIRECT client-id:integer] [PREFIX... prefix...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]',
    run: tracking,
  },
  {
    name: 'trackinginfo',
    arity: 2,
    flags: 'noscript loading stale sentinel',
    since: '6.2.0',
    group: 'connection',
    summary: "Show how this connection's invalidation messages are configured.",
    complexity: 'O(1)',
    run: trackingInfo,
  },
]

function stateOf(ctx: Context): TrackingState | undefined {
  return ctx.client.tracking as TrackingState | undefined
}

function tracking(ctx: Context): void {
  const options: TrackingOptions = {
    redirect: 0,
    bcast: false,
    optIn: false,
    optOut: false,
    noLoop: false,
    prefixes: [],
  }
  const opt = ctx.options(3)
  while (opt.more()) {
    if (opt.eat('redirect', 1)) {
      if (options.redirect !== 0) return ctx.reply.error('ERR A client can only redirect to a single other client')
      const id = opt.longOrReply()
      if (opt.failed) return
      if (!ctx.server.clients.has(id)) {
        return ctx.reply.error('ERR The client ID you want redirect to does not exist')
      }
      options.redirect = id
    } else if (opt.eat('bcast')) options.bcast = true
    else if (opt.eat('optin')) options.optIn = true
    else if (opt.eat('optout')) options.optOut = true
    else if (opt.eat('noloop')) options.noLoop = true
    else if (opt.eat('prefix', 1)) options.prefixes.push(opt.next().latin1())
    else return opt.syntaxError()
  }
  if (ctx.is(2, 'off')) {
    ctx.server.tracking.disable(ctx.client)
    return ctx.reply.ok()
  }
  if (!ctx.is(2, 'on')) return opt.syntaxError()
  const problem = refusal(ctx, options)
  if (problem !== undefined) return ctx.reply.error(problem)
  ctx.server.tracking.enable(ctx.client, options)
  ctx.reply.ok()
}

/** The error for invalid options, or for options incompatible with those in effect. */
function refusal(ctx: Context, options: TrackingOptions): string | undefined {
  const now = stateOf(ctx)
  if (!options.bcast && options.prefixes.length > 0) return 'ERR PREFIX option requires BCAST mode to be enabled'
  if (now !== undefined && now.bcast !== options.bcast) {
    return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode."
  }
  if (options.bcast && (options.optIn || options.optOut)) return 'ERR OPTIN and OPTOUT are not compatible with BCAST'
  if (options.optIn && options.optOut) return "ERR You can't specify both OPTIN mode and OPTOUT mode"
  if (now !== undefined && ((options.optIn && now.optOut) || (options.optOut && now.optIn))) {
    return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode."
  }
  return options.bcast ? overlap(options.prefixes, now?.prefixes ?? []) : undefined
}

function overlap(fresh: string[], held: string[]): string | undefined {
  const first = firstOverlapping(fresh, held)
  if (first === Number.POSITIVE_INFINITY) return undefined
  const prefix = fresh[first]
  const overlaps = (other: string) => prefix.startsWith(other) || other.startsWith(prefix)
  const existing = held.toSorted().find(overlaps)
  if (existing !== undefined)
    return `ERR Prefix '${prefix}' overlaps with an existing prefix '${existing}'. Prefixes for a single client must not overlap.`
  const provided = fresh.find((other, i) => i > first && overlaps(other))
  return `ERR Prefix '${prefix}' overlaps with another provided prefix '${provided}'. Prefixes for a single client must not overlap.`
}

/** The lowest index of a new prefix that overlaps with another one; infinite when none does. */
function firstOverlapping(fresh: string[], held: string[]): number {
  let first = Number.POSITIVE_INFINITY
  const leastIndex = new Map<string, number>()
  for (const prefix of held) leastIndex.set(prefix, Number.POSITIVE_INFINITY)
  for (const [i, prefix] of fresh.entries()) {
    const least = leastIndex.get(prefix)
    if (least !== undefined) first = Math.min(first, least, i)
    else leastIndex.set(prefix, i)
  }
  // Sorted, a prefix precedes all strings that begin with it; `open` are the prefixes of the current one.
  const open: string[] = []
  for (const prefix of [...leastIndex.keys()].sort()) {
    while (open.length > 0 && !prefix.startsWith(open[open.length - 1])) open.pop()
    if (open.length > 0) first = Math.min(first, leastIndex.get(prefix)!, leastIndex.get(open[open.length - 1])!)
    open.push(prefix)
  }
  return first
}

function caching(ctx: Context): void {
  const state = stateOf(ctx)
  if (state === undefined) {
    return ctx.reply.error(
      'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
    )
  }
  if (ctx.is(2, 'yes')) {
    if (!state.optIn)
      return ctx.reply.error('ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.')
    state.hasCaching = true
  } else if (ctx.is(2, 'no')) {
    if (!state.optOut)
      return ctx.reply.error('ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.')
    state.hasCaching = true
  } else return ctx.options(2).syntaxError()
  ctx.reply.ok()
}

function trackingInfo(ctx: Context): void {
  const state = stateOf(ctx)
  const flags: string[] = []
  if (state === undefined) flags.push('off')
  else {
    flags.push('on')
    if (state.bcast) flags.push('bcast')
    if (state.optIn) flags.push('optin')
    if (state.optIn && state.hasCaching) flags.push('caching-yes')
    if (state.optOut) flags.push('optout')
    if (state.optOut && state.hasCaching) flags.push('caching-no')
    if (state.noLoop) flags.push('noloop')
    if (state.brokenRedirect) flags.push('broken_redirect')
  }
  const { reply } = ctx
  reply.map(3)
  reply.bulkText('flags')
  reply.set(flags.length)
  for (const flag of flags) reply.bulkText(flag)
  reply.bulkText('redirect')
  reply.integer(state === undefined ? -1 : state.redirect)
  reply.bulkText('prefixes')
  const prefixes = (state?.prefixes ?? []).toSorted()
  reply.array(prefixes.length)
  for (const prefix of prefixes) reply.bulkText(prefix)
}
