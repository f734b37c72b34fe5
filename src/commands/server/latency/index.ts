// LATENCY: the latency monitor and command latency histograms. doctor.ts has the advice of LATENCY DOCTOR.

import type { Command } from '../../../engine/catalog/command.ts'
import type { TableEntry } from '../../../engine/catalog/table.ts'
import type { Context } from '../../../engine/context.ts'
import type { LatencySeries } from '../../../engine/monitoring/latency.ts'
import type { Histogram } from '../../../lib/histogram.ts'
import { replyHelp } from '../../../protocol/help.ts'
import { errorText } from '../../shared/arguments.ts'
import { latencyReport } from './doctor.ts'
import { sparkline } from './sparkline.ts'

export const latencyCommands: readonly Command[] = [
  {
    name: 'latency',
    arity: -2,
    flags: '',
    since: '2.8.13',
    group: 'server',
    summary: 'What held the server up, and how long commands take.',
    complexity: 'Differs by subcommand.',
    subcommands: [
      {
        name: 'doctor',
        arity: 2,
        flags: 'admin noscript loading stale',
        since: '2.8.13',
        group: 'server',
        summary: 'Explain the recorded spikes of latency and what may be done about them.',
        complexity: 'O(1)',
        tips: 'nondeterministic_output request_policy:all_nodes response_policy:special',
        run: doctor,
      },
      {
        name: 'graph',
        arity: 3,
        flags: 'admin noscript loading stale',
        since: '2.8.13',
        group: 'server',
        summary: 'Draw the spikes of one event in characters.',
        complexity: 'O(1)',
        args: 'event',
        tips: 'nondeterministic_output request_policy:all_nodes response_policy:special',
        run: graph,
      },
      {
        name: 'help',
        arity: 2,
        flags: 'loading stale',
        since: '2.8.13',
        group: 'server',
        summary: 'Explain the subcommands of LATENCY.',
        complexity: 'O(1)',
        run: help,
      },
      {
        name: 'histogram',
        arity: -2,
        flags: 'admin noscript loading stale',
        since: '7.0.0',
        group: 'server',
        summary: 'Return how many calls of each command took less than so many microseconds.',
        complexity: 'O(N), N = commands that have a histogram.',
        args: '[command...]',
        tips: 'nondeterministic_output request_policy:all_nodes response_policy:special',
        run: histogram,
      },
      {
        name: 'history',
        arity: 3,
        flags: 'admin noscript loading stale',
        since: '2.8.13',
        group: 'server',
        summary: 'Return time and length of each spike of one event.',
        complexity: 'O(1)',
        args: 'event',
        tips: 'nondeterministic_output request_policy:all_nodes response_policy:special',
        run: history,
      },
      {
        name: 'latest',
        arity: 2,
        flags: 'admin noscript loading stale',
        since: '2.8.13',
        group: 'server',
        summary: 'Return the latest and the longest spike of every event.',
        complexity: 'O(1)',
        tips: 'nondeterministic_output request_policy:all_nodes response_policy:special',
        run: latest,
      },
      {
        name: 'reset',
        arity: -2,
        flags: 'admin noscript loading stale',
        since: '2.8.13',
        group: 'server',
        summary: 'Forget the spikes of all events or of some.',
        complexity: 'O(1)',
        args: '[event...]',
        tips: 'request_policy:all_nodes response_policy:agg_sum',
        run: reset,
      },
    ],
  },
]

const GRAPH_COLUMNS = 80
const GRAPH_ROWS = 4
const FIRST_DOUBLING_NS = 1024

/** LATENCY HISTORY event */
function history(ctx: Context): void {
  const series = seriesNamed(ctx)
  ctx.reply.array(series?.samples.length ?? 0)
  for (const { unixSeconds, ms } of series?.samples ?? []) {
    ctx.reply.array(2)
    ctx.reply.integer(unixSeconds)
    ctx.reply.integer(ms)
  }
}

function latest(ctx: Context): void {
  const { series } = ctx.server.observers.latency
  ctx.reply.array(series.size)
  for (const [event, { samples, worstMs }] of series) {
    const last = samples[samples.length - 1]
    ctx.reply.array(4)
    ctx.reply.bulkText(event)
    ctx.reply.integer(last.unixSeconds)
    ctx.reply.integer(last.ms)
    ctx.reply.integer(worstMs)
  }
}

/** LATENCY RESET [event ...] */
function reset(ctx: Context): void {
  const { latency } = ctx.server.observers
  let forgotten = ctx.argc === 2 ? latency.resetSpikes() : 0
  for (let i = 2; i < ctx.argc; i++) forgotten += latency.resetSpikes(ctx.args[i].latin1())
  ctx.reply.integer(forgotten)
}

/** LATENCY GRAPH event */
function graph(ctx: Context): void {
  const event = errorText(ctx.args[2])
  const series = seriesNamed(ctx)
  if (series === undefined) return ctx.reply.error(`ERR No samples available for event '${event}'`)
  const all = series.samples.map(sample => sample.ms)
  const high = Math.max(...all)
  const low = Math.min(...all)
  const nowSeconds = Math.floor(ctx.nowMs / 1000)
  const points = series.samples.map(({ unixSeconds, ms }) => ({ value: ms, label: ago(nowSeconds - unixSeconds) }))
  const head = `${event} - high ${high} ms, low ${low} ms (all time high ${series.worstMs} ms)`
  ctx.reply.verbatim('txt', `${head}\n${'-'.repeat(GRAPH_COLUMNS)}\n${sparkline(points, GRAPH_COLUMNS, GRAPH_ROWS)}`)
}

function seriesNamed(ctx: Context): LatencySeries | undefined {
  return ctx.server.observers.latency.series.get(ctx.args[2].latin1())
}

function ago(seconds: number): string {
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  return seconds < 86400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86400)}d`
}

function doctor(ctx: Context): void {
  ctx.reply.verbatim('txt', latencyReport(ctx.server.observers.latency.series, ctx.settings, ctx.nowMs))
}

/** LATENCY HISTOGRAM [command ...] */
function histogram(ctx: Context): void {
  const { table, observers } = ctx.server
  const { histograms } = observers.latency
  const wanted: TableEntry[] = ctx.argc === 2 ? [...table.all] : []
  for (let i = 2; i < ctx.argc; i++) {
    const entry = table.lookupFullName(ctx.args[i])
    if (entry !== undefined) wanted.push(entry, ...entry.subs)
  }
  const known = wanted.filter(entry => histograms.has(entry))
  ctx.reply.map(known.length)
  for (const entry of known) {
    ctx.reply.bulkText(entry.fullName)
    replyHistogram(ctx, observers.latency.histogram(entry)!)
  }
}

function replyHistogram(ctx: Context, one: Histogram): void {
  const { reply } = ctx
  const steps: [us: number, count: number][] = []
  let before = 0
  for (const [value, count] of one.doublings(FIRST_DOUBLING_NS)) {
    if (count > before) steps.push([Math.floor(value / 1000), count])
    before = count
  }
  reply.map(2)
  reply.bulkText('calls')
  reply.integer(one.total)
  reply.bulkText('histogram_usec')
  reply.map(steps.length)
  for (const [us, count] of steps) {
    reply.integer(us)
    reply.integer(count)
  }
}

function help(ctx: Context): void {
  replyHelp(ctx.reply, ctx.args[0], HELP)
}

const HELP = [
  'DOCTOR',
  '    A report on the recorded spikes, with advice.',
  'GRAPH <event>',
  '    The spikes of <event>, drawn in characters.',
  'HISTORY <event>',
  '    Time and milliseconds of each spike of <event>.',
  'LATEST',
  '    The latest and the longest spike of every event.',
  'RESET [<event> ...]',
  '    Forget the spikes of these events,',
  '    or of all when none is named.',
  'HISTOGRAM [COMMAND ...]',
  '    How many calls took less than so many microseconds, for the named commands,',
  '    or for all when none is named.',
]
