// Connections to instances: opened when one is missing, at most once in a ping period.

import { authWords } from '../client/connection.ts'
import { ReplyError, type Value } from '../protocol/value.ts'
import type { InstanceAddress } from './addresses.ts'
import { HELLO_CHANNEL, receiveHello } from './hello.ts'
import { type AnyInstance, primaryOf } from './instance.ts'
import { sendPing } from './periodic.ts'
import type { Sentinel } from './sentinel.ts'

const ID_CHARS_IN_NAME = 8

export function connect(sentinel: Sentinel, instance: AnyInstance): void {
  const { link } = instance
  if (!link.disconnected || instance.address.port === 0) return
  const now = sentinel.nowMs
  if (now - link.reconnectedMs < sentinel.timing.pingMs) return
  link.reconnectedMs = now
  if (link.commands === undefined) {
    instance.address = resolvedAgain(sentinel, instance.address)
    if (!isReachable(sentinel, instance)) return
    link.openCommands(sentinel.host.system, dialled(instance.address), now)
    authenticate(sentinel, instance, (words, onReply) => link.send(words, onReply))
    link.send(sentinel.renamed(instance, ['CLIENT', 'SETNAME', nameOf(sentinel, 'cmd')]))
    sendPing(sentinel, instance)
  }
  if (instance.kind !== 'sentinel' && link.pubsub === undefined) subscribe(sentinel, instance, now)
  if (link.commands !== undefined && (instance.kind === 'sentinel' || link.pubsub !== undefined))
    link.disconnected = false
}

/** A server may have come back under another IP. */
function resolvedAgain({ addresses }: Sentinel, address: InstanceAddress): InstanceAddress {
  if (!addresses.resolveHostnames) return address
  const again = addresses.create(address.host, address.port, false)
  return typeof again === 'string' ? address : again
}

/** Whether the name has an IP. Without one the trouble is the name's, which is reported once. */
function isReachable(sentinel: Sentinel, instance: AnyInstance): boolean {
  if (instance.address.ip !== '') return true
  const { host } = instance.address
  sentinel.events.trouble(
    instance,
    `cannot resolve '${host}': ${sentinel.addresses.troubleOf(host) || 'not known yet'}`,
  )
  return false
}

function dialled({ ip, port }: InstanceAddress): { host: string; port: number } {
  return { host: ip, port }
}

function nameOf(sentinel: Sentinel, kind: 'cmd' | 'pubsub'): string {
  return `sentinel-${sentinel.id.slice(0, ID_CHARS_IN_NAME)}-${kind}`
}

function authenticate(
  sentinel: Sentinel,
  instance: AnyInstance,
  send: (words: readonly string[], onReply: (value: Value) => void) => void,
): void {
  const { settings, host } = sentinel
  let { authUser, authPass } = primaryOf(instance).settings
  if (instance.kind === 'sentinel') {
    authUser = settings.authPass === '' ? '' : settings.authUser
    authPass = settings.authPass === '' ? host.password() : settings.authPass
  }
  if (authPass === '') return
  send(sentinel.renamed(instance, authWords(authUser, authPass)), value => {
    if (value instanceof ReplyError) sentinel.events.trouble(instance, `refuses the password: ${value.text}`)
  })
}

function subscribe(sentinel: Sentinel, instance: AnyInstance, now: number): void {
  const { link } = instance
  const onMessage = (value: Value) => {
    if (value instanceof ReplyError) link.closeOne('pubsub')
    else if (!instance.removed) receiveHello(sentinel, link, value)
  }
  link.openPubSub(sentinel.host.system, dialled(instance.address), now, onMessage)
  authenticate(sentinel, instance, (words, onReply) => link.sendPubSub(words, onReply))
  link.sendPubSub(sentinel.renamed(instance, ['CLIENT', 'SETNAME', nameOf(sentinel, 'pubsub')]), () => {})
  link.sendPubSub(sentinel.renamed(instance, ['SUBSCRIBE', HELLO_CHANNEL]), onMessage, Number.POSITIVE_INFINITY)
}
