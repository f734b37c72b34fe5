// Hello messages, by which sentinels of the same primary find each other and spread new configurations:
//
//   ip,port,run id,current epoch,primary's name,its ip,its port,its configuration epoch
//
// They are published on every monitored server, and sent to every known sentinel. The newer configuration epoch wins.

import { ReplyError, textOf, type Value } from '../protocol/value.ts'
import { sameAddress } from './addresses.ts'
import { type AnyInstance, type Peer, type Primary, primaryOf } from './instance.ts'
import type { InstanceLink } from './link.ts'
import { reconfigured } from './reconfiguration.ts'
import type { Sentinel } from './sentinel.ts'

export const HELLO_CHANNEL = '__sentinel__:hello'
const FIELDS = 8

/** Nothing is sent while our own address is not known. */
export function sendHello(sentinel: Sentinel, instance: AnyInstance): void {
  const { settings, host, addresses } = sentinel
  const { link } = instance
  if (link.disconnected || link.commands === undefined) return
  const ip = settings.announceIp || ownIp(link)
  if (ip === '') return
  const primary = primaryOf(instance)
  const address = primary.currentAddress
  const message = [
    ip,
    settings.announcePort || host.port(),
    sentinel.id,
    sentinel.currentEpoch,
    primary.name,
    addresses.announced(address),
    address.port,
    primary.configEpoch,
  ].join(',')
  sentinel.send(instance, ['PUBLISH', HELLO_CHANNEL, message], value => {
    if (!(value instanceof ReplyError)) instance.helloSentMs = sentinel.nowMs
  })
}

/** Our end of the connection: '10.0.0.5:41234' or '[::1]:41234'. */
function ownIp(link: InstanceLink): string {
  const local = link.commands?.local ?? ''
  const ip = local.slice(0, Math.max(0, local.lastIndexOf(':')))
  return ip.startsWith('[') ? ip.slice(1, -1) : ip
}

/** Hello messages about this primary are due at once. */
export function hurryHello(sentinel: Sentinel, primary: Primary): void {
  const earlier = sentinel.timing.helloMs + 1
  for (const one of [primary, ...primary.sentinels.values(), ...primary.replicas.values()]) one.helloSentMs -= earlier
}

/** A message of the subscription. */
export function receiveHello(sentinel: Sentinel, link: InstanceLink, value: Value): void {
  link.pubsubActivityMs = sentinel.nowMs
  if (!Array.isArray(value) || value.length !== 3 || textOf(value[0]) !== 'message') return
  const text = textOf(value[2])
  if (!text.includes(sentinel.id)) processHello(sentinel, text)
}

export function processHello(sentinel: Sentinel, text: string): void {
  const fields = text.split(',', FIELDS + 1)
  if (fields.length !== FIELDS) return
  const [ip, port, runId, epoch, name, primaryHost, primaryPort, configEpoch] = fields
  const primary = sentinel.primaries.get(name)
  if (primary === undefined) return
  const peer = knownPeer(sentinel, primary, runId, ip, Number.parseInt(port, 10))
  const currentEpoch = epochOf(epoch)
  if (currentEpoch > sentinel.currentEpoch) sentinel.raiseEpoch(currentEpoch, primary)
  if (peer === undefined) return
  if (epochOf(configEpoch) > primary.configEpoch) {
    primary.configEpoch = epochOf(configEpoch)
    adopt(sentinel, primary, peer, primaryHost, Number.parseInt(primaryPort, 10))
  }
  peer.helloMs = sentinel.nowMs
}

function epochOf(text: string): number {
  const epoch = Number.parseInt(text, 10)
  return Number.isSafeInteger(epoch) && epoch > 0 ? epoch : 0
}

/** A newer configuration: the primary may be another server. */
function adopt(sentinel: Sentinel, primary: Primary, peer: Peer, host: string, port: number): void {
  const { addresses, events } = sentinel
  const before = primary.address
  if (port === before.port && addresses.isHostOf(before, host)) return
  events.about(peer, 'warning', '+config-update-from')
  const change = `${primary.name} ${addresses.announced(before)} ${before.port} ${host} ${port}`
  events.send('warning', '+switch-master', change, primary)
  sentinel.changeAddress(primary, host, port)
  reconfigured(sentinel, primary, 'observer', before, primary.address)
}

/** The sentinel that sent a message: added when it is new, moved when its address is. undefined: it has no address. */
function knownPeer(sentinel: Sentinel, primary: Primary, runId: string, ip: string, port: number): Peer | undefined {
  const { addresses, events } = sentinel
  const address = addresses.create(ip, port, true)
  if (typeof address === 'string') return undefined
  const known = primary.sentinels.get(runId)
  if (known !== undefined && sameAddress(known.address, address)) return known
  if (known !== undefined) {
    forget(primary, runId)
    events.about(primary, 'notice', '+sentinel-address-switch', ` ip ${ip} port ${port} for ${runId}`)
  } else {
    // Another run id at this address: that sentinel is gone.
    for (const other of primary.sentinels.values()) {
      if (!sameAddress(other.address, address)) continue
      events.about(other, 'notice', '+sentinel-invalid-addr')
      for (const one of sentinel.primaries.values()) forget(one, other.name)
      break
    }
  }
  const peer = sentinel.addPeer(primary, runId, ip, port)
  if (typeof peer === 'string') return undefined
  if (known === undefined) events.about(peer, 'notice', '+sentinel')
  else moveEverywhere(sentinel, peer)
  sentinel.save()
  return peer
}

function forget(primary: Primary, runId: string): void {
  primary.sentinels.get(runId)?.remove()
  primary.sentinels.delete(runId)
}

/** The sentinel has another address as the sentinel of other primaries too; its connections are opened anew. */
function moveEverywhere(sentinel: Sentinel, peer: Peer): void {
  let moved = 0
  for (const { sentinels } of sentinel.primaries.values()) {
    const same = sentinels.get(peer.name)
    if (same === undefined) continue
    same.link.close()
    if (same === peer) continue
    same.address = peer.address
    moved++
  }
  if (moved > 0)
    sentinel.events.about(peer, 'notice', '+sentinel-address-update', ` ${moved} additional matching instances`)
}
