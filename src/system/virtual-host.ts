// VirtualHost: the network of one virtual machine: listeners, outgoing connections, and their end when the program
// dies or the power fails.
//
//   dial: SYN ─▶ listener there? ─▶ SYN-ACK ─▶ Outgoing, and 'open' on its way ─▶ Receiver.opened
//               └ no: reset ─▶ ECONNREFUSED          └ lost: again after 1, 2, 4 … s until the timeout

import {
  type Address,
  FIRST_SOCKET_FD,
  joinedAddress,
  type Listener,
  type ListenOptions,
  type Network,
  NetworkError,
  type Outgoing,
  type Receiver,
  type TlsSettings,
} from './network.ts'
import type { EventOwner, ScheduledEvent } from './scheduler.ts'
import { DiskError, type FileSystem } from './system.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { VirtualIncoming, VirtualOutgoing } from './virtual-connection.ts'
import { VirtualEnd } from './virtual-end.ts'
import { Flow } from './virtual-flow.ts'
import type { VirtualNetwork } from './virtual-network.ts'

const FIRST_EPHEMERAL_PORT = 32768
const RETRY_US = 1_000_000

interface Listening {
  host: string
  port: number
  path: string | undefined
  receiver: Receiver<unknown>
}

export class VirtualHost implements Network, EventOwner {
  readonly network: VirtualNetwork
  readonly machine: VirtualClock
  readonly number: number
  /** The operating system runs while its programs are stalled. */
  readonly busyUntilUs = 0
  address: string
  isUp = true
  /** Number of boots. */
  boots = 0
  /** Number of programs that have ended: what a dead one began comes to nothing. */
  programs = 0
  /** Ends of connections of this machine's programs. */
  readonly ends = new Set<VirtualEnd>()
  private readonly disk: FileSystem
  private listeners: Listening[] = []
  private nextPort = FIRST_EPHEMERAL_PORT
  private nextFd = FIRST_SOCKET_FD

  constructor(network: VirtualNetwork, machine: VirtualClock, disk: FileSystem, address: string) {
    this.network = network
    this.machine = machine
    this.number = machine.number
    this.disk = disk
    this.address = address
  }

  // ---- Network ----

  listen<Session>(
    options: ListenOptions,
    receiver: Receiver<Session>,
    done: (result: Listener | NetworkError) => void,
  ): void {
    const result =
      options.path === undefined ? this.listenTcp(options, receiver) : this.listenUnix(options.path, receiver)
    this.machine.soon(() => done(result))
  }

  dial(address: Address, timeoutMs: number, done: (result: Outgoing | NetworkError) => void): void {
    const { path, host, port } = address
    const attempt = new DialAttempt(this, done)
    attempt.endAt(this.machine.worldUs + timeoutMs * 1000)
    if (path !== undefined) {
      const code = this.disk.stat(path) === null ? 'ENOENT' : 'ECONNREFUSED'
      if (this.listeners.some(one => one.path === path)) attempt.dial(this.address, 0, path)
      else attempt.finish(new NetworkError(code))
      return
    }
    const to = isLoopback(host) ? '127.0.0.1' : this.network.addressesOf(host)[0]
    if (to === undefined) attempt.finish(new NetworkError('ENOTFOUND'))
    else attempt.dial(to, port, undefined)
  }

  /** There is no TLS between virtual machines. */
  secure(_settings: TlsSettings, done: (result: NetworkError) => void): void {
    this.machine.soon(() => done(new NetworkError('ENOTSUP')))
  }

  resolve(name: string, done: (result: readonly string[] | NetworkError) => void): void {
    const found = isLoopback(name) ? ['127.0.0.1'] : this.network.addressesOf(name)
    this.machine.soon(() => done(found.length === 0 ? new NetworkError('ENOTFOUND') : found))
  }

  // ---- listening ----

  private listenTcp(options: ListenOptions, receiver: Receiver<unknown>): Listener | NetworkError {
    const { host } = options
    const port = options.port === 0 ? this.freePort() : options.port
    if (!isWildcard(host) && !isLoopback(host) && host !== this.address) return new NetworkError('EADDRNOTAVAIL')
    if (this.listeners.some(one => one.port === port && overlaps(one.host, host))) return new NetworkError('EADDRINUSE')
    return this.addListener({ host, port, path: undefined, receiver }, joinedAddress(host, port))
  }

  private listenUnix(path: string, receiver: Receiver<unknown>): Listener | NetworkError {
    try {
      this.disk.close(this.disk.open(path, 'wx'))
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      return new NetworkError(error.code === 'EEXIST' ? 'EADDRINUSE' : error.code)
    }
    return this.addListener({ host: '', port: 0, path, receiver }, path)
  }

  private addListener(listening: Listening, address: string): Listener {
    this.listeners.push(listening)
    const close = () => {
      this.listeners = this.listeners.filter(one => one !== listening)
    }
    return { address, port: listening.port, close }
  }

  /** The listener for that address and port, or path. */
  listenerFor(address: string, port: number, path: string | undefined): Listening | undefined {
    if (path !== undefined) return this.listeners.find(one => one.path === path)
    return this.listeners.find(one => one.path === undefined && one.port === port && accepts(one.host, address))
  }

  freePort(): number {
    this.nextPort = this.nextPort === 65535 ? FIRST_EPHEMERAL_PORT : this.nextPort + 1
    return this.nextPort
  }

  takeFd(): number {
    return this.nextFd++
  }

  // ---- the end of the program or machine ----

  /** The program has died: its listeners and connections are closed. */
  processEnded(): void {
    this.programs++
    this.listeners = []
    for (const end of [...this.ends]) end.abandon()
    this.ends.clear()
    this.nextFd = FIRST_SOCKET_FD
  }

  /** A power failure. Peers get no packet. */
  powerOff(): void {
    this.isUp = false
    this.listeners = []
    this.ends.clear()
  }

  powerOn(): void {
    this.isUp = true
    this.boots++
    this.network.wake()
  }
}

/** One attempt to connect. */
class DialAttempt {
  private readonly from: VirtualHost
  private readonly done: (result: Outgoing | NetworkError) => void
  private readonly program: number
  private isFinished = false
  private timeout: ScheduledEvent | undefined

  constructor(from: VirtualHost, done: (result: Outgoing | NetworkError) => void) {
    this.program = from.programs
    this.from = from
    this.done = done
  }

  /** Also when the program that dialled has ended. */
  private get isOver(): boolean {
    return this.isFinished || this.from.programs !== this.program
  }

  /** It fails at that time. */
  endAt(dueUs: number): void {
    this.timeout = this.from.network.at(dueUs, this.from, () => this.finish(new NetworkError('ETIMEDOUT')))
  }

  finish(result: Outgoing | NetworkError): void {
    if (this.isOver) return
    this.isFinished = true
    if (this.timeout !== undefined) this.from.network.scheduler.cancel(this.timeout)
    this.from.machine.soon(() => this.done(result))
  }

  dial(address: string, port: number, path: string | undefined, retryUs = RETRY_US): void {
    if (this.isOver || !this.from.isUp) return
    const { network } = this.from
    const isLocal = path !== undefined || isLoopback(address) || address === this.from.address
    const to = isLocal ? this.from : network.hostAt(address)
    const again = () =>
      void network.at(this.from.machine.worldUs + retryUs, this.from, () => this.dial(address, port, path, retryUs * 2))
    if (to === undefined) return again()
    const fromAddress = isLocal ? address : this.from.address
    network.at(network.arrivalUs(this.from, to, 0), to, () => {
      if (!network.passes(this.from, fromAddress, to, address)) return again()
      const listening = to.listenerFor(address, port, path)
      const listener = to.programs
      network.at(network.arrivalUs(to, this.from, 0), this.from, () => {
        if (!network.passes(to, address, this.from, fromAddress)) return again()
        if (this.isOver) return
        if (listening === undefined) return this.finish(new NetworkError('ECONNREFUSED'))
        // The program that listened has died since: what it would have accepted is reset.
        if (to.programs !== listener) return this.finish(new NetworkError('ECONNRESET'))
        this.finish(join(this.from, fromAddress, to, address, port, listening))
      })
    })
  }
}

/** Creates both ends of a new connection; returns ours. */
function join(
  from: VirtualHost,
  fromAddress: string,
  to: VirtualHost,
  address: string,
  port: number,
  { path, receiver }: Listening,
): Outgoing {
  const { network } = from
  const outgoing = new VirtualOutgoing()
  const ours = new VirtualEnd(from, fromAddress, path === undefined ? from.freePort() : 0, outgoing)
  const incoming = new VirtualIncoming(receiver, path)
  const theirs = new VirtualEnd(to, address, port, incoming)
  incoming.attach(theirs)
  ours.peer = theirs
  theirs.peer = ours
  ours.out = theirs.in = new Flow(network, ours, theirs)
  theirs.out = ours.in = new Flow(network, theirs, ours)
  outgoing.attach(ours, path)
  ours.out.put('open')
  return outgoing
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.startsWith('127.') || host === '::1'
}

function isWildcard(host: string): boolean {
  return host === '' || host === '*' || host === '0.0.0.0' || host === '::'
}

/** Whether a listener on `host` accepts connections to `address`, one of its machine's. */
function accepts(host: string, address: string): boolean {
  if (isLoopback(host)) return isLoopback(address)
  return host === address || (isWildcard(host) && (host === '::') === address.includes(':'))
}

function overlaps(one: string, other: string): boolean {
  if (one === other) return true
  return (isWildcard(one) || isWildcard(other)) && one.includes(':') === other.includes(':')
}
