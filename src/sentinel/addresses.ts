// Addresses of instances: a host, which may be a name, its IP and a port.
//
//   resolve-hostnames no    only IPs are hosts
//   resolve-hostnames yes   names are resolved in the background; a lookup answers what is known now
//
// Always: a lookup never waits. The first lookup of a name may therefore fail where a later one succeeds: whoever can
// wait calls resolved().

import { isIPv4 } from '../lib/address.ts'
import { PORT_MAX } from '../lib/limits.ts'
import { type Network, NetworkError } from '../system/network.ts'

export interface InstanceAddress {
  /** As it was given: a name or an IP. */
  readonly host: string
  /** '' while the name does not resolve. */
  readonly ip: string
  readonly port: number
}

interface KnownName {
  ip: string | undefined
  /** Why it does not resolve. */
  trouble: string
  resolvedMs: number
  waiting: (() => void)[] | undefined
}

/** A known IP is used for so long before the name is resolved again. */
const REFRESH_MS = 1000
const NAMES_MAX = 1000

export class Addresses {
  resolveHostnames = false
  announceHostnames = false
  private readonly network: Pick<Network, 'resolve'>
  private readonly nowMs: () => number
  private readonly warn: (text: string) => void
  private readonly names = new Map<string, KnownName>()

  constructor(network: Pick<Network, 'resolve'>, nowMs: () => number, warn: (text: string) => void) {
    this.network = network
    this.nowMs = nowMs
    this.warn = warn
  }

  /** The IP of a host as far as it is known now. */
  lookup(host: string): string | undefined {
    if (isIp(host)) return host
    if (!this.resolveHostnames || host === '') return undefined
    const known = this.names.get(host)
    if (known === undefined || (known.waiting === undefined && this.nowMs() - known.resolvedMs >= REFRESH_MS))
      this.resolve(host, known)
    return this.names.get(host)?.ip
  }

  /** Why a name has no IP; '' when it has one, or was never looked up. */
  troubleOf(host: string): string {
    return this.names.get(host)?.trouble ?? ''
  }

  /** Calls `done` when the name's IP is known, or known to be unknown. */
  resolved(host: string, done: () => void): void {
    if (isIp(host) || !this.resolveHostnames) return done()
    this.lookup(host)
    const known = this.names.get(host)
    if (known?.waiting === undefined) done()
    else known.waiting.push(done)
  }

  private resolve(host: string, before: KnownName | undefined): void {
    const name = before ?? { ip: undefined, trouble: '', resolvedMs: this.nowMs(), waiting: [] }
    name.waiting = []
    if (before === undefined && this.names.size >= NAMES_MAX) this.names.delete(this.names.keys().next().value!)
    this.names.set(host, name)
    this.network.resolve(host, found => {
      const waiting = name.waiting ?? []
      name.waiting = undefined
      name.resolvedMs = this.nowMs()
      if (found instanceof NetworkError) name.trouble = found.message
      else {
        name.ip = found[0]
        name.trouble = ''
      }
      for (const done of waiting) done()
    })
  }

  /** The address; 'port' or 'host' names what is invalid. `unresolved`: a name without an IP is accepted. */
  create(host: string, port: number, unresolved: boolean): InstanceAddress | 'port' | 'host' {
    if (!(port >= 0 && port <= PORT_MAX)) return 'port'
    const ip = this.lookup(host)
    if (ip !== undefined) return { host, ip, port }
    this.warn(`Failed to resolve hostname '${host}'`)
    return this.resolveHostnames && unresolved ? { host, ip: '', port } : 'host'
  }

  /** The host as others are told of it. */
  announced(address: InstanceAddress): string {
    return this.announceHostnames ? address.host : address.ip
  }

  /** 'host:port', IPv6 in brackets. */
  joined(address: InstanceAddress): string {
    const host = this.announced(address)
    return host.includes(':') ? `[${host}]:${address.port}` : `${host}:${address.port}`
  }

  /** Whether `host` means the machine of this address. */
  isHostOf(address: InstanceAddress, host: string): boolean {
    const ip = this.lookup(host)
    if (ip !== undefined) return ip === address.ip
    return (this.resolveHostnames ? address.host : address.ip).toLowerCase() === host.toLowerCase()
  }
}

/** By IP, or by name where one has no IP. */
export function sameAddress(a: InstanceAddress, b: InstanceAddress): boolean {
  return a.port === b.port && (a.ip === b.ip || a.host.toLowerCase() === b.host.toLowerCase())
}

const IP6_CHARS = '0123456789abcdefABCDEF:.%'

/** Whether a host is an IPv4 or IPv6 address; a zone behind % may have any letters. */
function isIp(host: string): boolean {
  if (host.includes(':')) {
    const zone = host.indexOf('%')
    const plain = zone < 0 ? host : host.slice(0, zone)
    for (const char of plain) if (!IP6_CHARS.includes(char)) return false
    return plain.length > 1
  }
  return isIPv4(host)
}
