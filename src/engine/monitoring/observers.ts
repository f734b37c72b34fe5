// Observers: MONITOR, SLOWLOG, latency monitoring and audit of commands, called by dispatch after each command. What is
// not configured costs a comparison.

import type { Slice } from '../../lib/slice.ts'
import { quoted } from '../../lib/words.ts'
import { CMD_ADMIN, CMD_BLOCKING, CMD_FAST, CMD_SKIP_MONITOR, CMD_SKIP_SLOWLOG } from '../catalog/command.ts'
import type { TableEntry } from '../catalog/table.ts'
import { CLIENT_SCRIPT, type Client } from '../client.ts'
import type { Engine } from '../engine.ts'
import { Audit } from './audit.ts'
import { Latency } from './latency.ts'
import { withoutSecrets } from './redact.ts'
import { ServerEventHooks } from './server-events.ts'
import { ARGS_MAX, Slowlog } from './slowlog.ts'

/** Fast commands are timed one by one only when a threshold is below this. */
const FAST_COMMAND_US = 2000

export class Observers {
  readonly slowlog = new Slowlog()
  readonly latency = new Latency()
  readonly monitors = new Set<Client>()
  readonly audit: Audit
  readonly happenings = new ServerEventHooks()
  private readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
    this.audit = new Audit(engine)
    const forget = (client: Client) => this.unmonitor(client)
    engine.onClientDisconnected.push(forget)
    engine.onClientReset.push(forget)
    engine.dispatch.afterCall = (client, entry, args, argc, durationUs, times) =>
      this.afterCall(client, entry, args, argc, durationUs, times)
    this.settingsChanged()
  }

  /** Called when one of the settings that this reads has changed. */
  settingsChanged(): void {
    const { settings, dispatch } = this.engine
    const slowUs = settings.slowlogLogSlowerThan
    dispatch.preciseTiming =
      (slowUs >= 0 && slowUs < FAST_COMMAND_US) ||
      settings.latencyMonitorThreshold > 0 ||
      (settings.clusterEnabled && settings.clusterSlotStatsEnabled)
  }

  private afterCall(
    client: Client,
    entry: TableEntry,
    args: Slice[],
    argc: number,
    durationUs: number,
    times: number,
  ): void {
    const { settings, keyspace } = this.engine
    if (this.audit.isHeard && (entry.flags & CMD_ADMIN) !== 0) this.audit.tellCommand(client, entry, args, argc)
    if (settings.latencyTracking) this.latency.record(entry, durationUs, times)
    const slowUs = settings.slowlogLogSlowerThan
    if (slowUs >= 0 && durationUs >= slowUs && (entry.flags & CMD_SKIP_SLOWLOG) === 0) {
      const words = client.blocked?.command.shown ?? args
      const count = Math.min(argc, words.length)
      const shown = withoutSecrets(this.engine, entry, words, Math.min(count, ARGS_MAX))
      const seconds = Math.floor(keyspace.nowMs / 1000)
      this.slowlog.add(client, shown, count, Math.floor(durationUs), seconds, settings.slowlogMaxLen)
    }
    if (settings.latencyMonitorThreshold > 0)
      this.spike((entry.flags & CMD_FAST) !== 0 ? 'fast-command' : 'command', durationUs)
  }

  /** Records a latency spike of something other than a command. */
  spike(event: string, durationUs: number): void {
    const threshold = this.engine.settings.latencyMonitorThreshold
    const ms = Math.floor(durationUs / 1000)
    if (threshold > 0 && ms >= threshold)
      this.latency.addSpike(event, ms, Math.floor(this.engine.keyspace.nowMs / 1000))
  }

  monitor(client: Client): void {
    this.monitors.add(client)
    // Scripts are shown before the commands that they run, and what may block before it changes its arguments;
    // all others, as SELECT and EXEC, when they are done.
    this.engine.dispatch.onCommand = (by, entry, args, argc, isDone) => {
      if (isDone === ((entry.flags & (CMD_SKIP_MONITOR | CMD_BLOCKING)) === 0)) this.show(by, entry, args, argc)
    }
  }

  private unmonitor(client: Client): void {
    if (this.monitors.delete(client) && this.monitors.size === 0) this.engine.dispatch.onCommand = undefined
  }

  private show(client: Client, entry: TableEntry, args: Slice[], argc: number): void {
    const { engine } = this
    if ((entry.flags & CMD_ADMIN) !== 0 || engine.blocking.isReprocessing(client)) return
    const us = engine.host.nowUs()
    const time = `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`
    const { connection } = client
    const unix = connection.kind === 'unix' ? `unix:${connection.peer.replace(/:0$/, '')}` : connection.peer
    const from = client.has(CLIENT_SCRIPT) ? 'lua' : unix
    const words = withoutSecrets(engine, entry, args, argc)
      .map(word => quoted(word.latin1()))
      .join(' ')
    const line = `${time} [${client.db.index} ${from}] ${words}`
    for (const monitor of this.monitors) engine.answer(monitor, reply => reply.simple(line))
  }
}
