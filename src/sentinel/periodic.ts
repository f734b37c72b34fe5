// What is sent to every instance from time to time: INFO, PING and hello messages.

import { ReplyError, textOf } from '../protocol/value.ts'
import { sendHello } from './hello.ts'
import { refresh } from './info-report.ts'
import { type AnyInstance, FAILOVER_IN_PROGRESS, O_DOWN, PRIMARY_REBOOT, S_DOWN, SCRIPT_KILL_SENT } from './instance.ts'
import type { Sentinel } from './sentinel.ts'
import { PENDING_COMMANDS_MAX } from './timing.ts'

/** INFO of a replica whose state may decide a failover. */
const URGENT_INFO_MS = 1000

export function sendPeriodicCommands(sentinel: Sentinel, instance: AnyInstance): void {
  const { link } = instance
  if (link.disconnected || link.pending >= PENDING_COMMANDS_MAX * link.users) return
  const { timing, nowMs } = sentinel
  if (instance.kind !== 'sentinel') {
    const { refreshedMs } = instance.report
    if (refreshedMs === 0 || nowMs - refreshedMs > infoPeriodMs(sentinel, instance))
      sentinel.send(instance, ['INFO'], value => {
        if (!instance.removed && value instanceof Uint8Array) refresh(sentinel, instance, textOf(value))
      })
  }
  const pingMs = Math.min(instance.downAfterMs, timing.pingMs)
  if (nowMs - link.pongMs > pingMs && nowMs - link.pingSentMs > pingMs / 2) sendPing(sentinel, instance)
  if (nowMs - instance.helloSentMs > timing.helloMs) sendHello(sentinel, instance)
}

function infoPeriodMs({ timing }: Sentinel, instance: AnyInstance): number {
  if (instance.kind !== 'slave') return timing.infoMs
  const urgent = instance.primary.has(O_DOWN | FAILOVER_IN_PROGRESS) || instance.linkDownMs !== 0
  return urgent ? URGENT_INFO_MS : timing.infoMs
}

/** A valid answer shows that the server is available; an answer that it cannot be used by us, that it is up. */
export function sendPing(sentinel: Sentinel, instance: AnyInstance): void {
  const { link } = instance
  const sent = sentinel.send(instance, ['PING'], value => {
    link.pongMs = sentinel.nowMs
    const text = value instanceof ReplyError ? value.text : textOf(value)
    if (text.startsWith('PONG') || text.startsWith('LOADING') || text.startsWith('MASTERDOWN')) {
      link.availableMs = sentinel.nowMs
      link.unansweredPingMs = 0
      sentinel.events.trouble(instance, '')
      if (text.startsWith('PONG')) instance.flags &= ~PRIMARY_REBOOT
    } else if (text.startsWith('NOAUTH') || text.startsWith('WRONGPASS') || text.startsWith('NOPERM')) {
      if (link.trouble === '') sentinel.events.trouble(instance, `refuses PING: ${text}`)
    } else if (text.startsWith('BUSY') && instance.has(S_DOWN) && !instance.has(SCRIPT_KILL_SENT)) {
      sentinel.send(instance, ['SCRIPT', 'KILL'])
      instance.flags |= SCRIPT_KILL_SENT
    }
  })
  if (!sent) return
  link.pingSentMs = sentinel.nowMs
  if (link.unansweredPingMs === 0) link.unansweredPingMs = link.pingSentMs
}
