// The gate of cluster mode: a command runs here, or its client is told where.
//
//   keys of several slots            CROSSSLOT          slot moves away, key is gone      ASK (some gone: TRYAGAIN)
//   nobody serves the slot           CLUSTERDOWN        slot arrives, without ASKING      MOVED
//   the cluster is down              CLUSTERDOWN        another node serves it            MOVED
//                                                       CLUSTERSCAN of a slot that moves  TRYAGAIN
//
// Always: an open transaction is judged as a whole, when EXEC comes, besides each command as it is queued. Nothing is
// allocated for a command that runs here.

import type { Command } from '../engine/catalog/command.ts'
import { CMD_SOLE_KEY, CMD_WRITE } from '../engine/catalog/command.ts'
import type { CommandTable, TableEntry } from '../engine/catalog/table.ts'
import { CLIENT_ASKING, CLIENT_MASTER, CLIENT_MULTI, CLIENT_READONLY, type Client } from '../engine/client.ts'
import type { Gate, Place } from '../engine/gates.ts'
import type { Database } from '../keyspace/database.ts'
import { LOOKUP_NO_EXPIRE } from '../keyspace/database.ts'
import { ZERO } from '../lib/ascii.ts'
import { keySlot } from '../lib/crc16.ts'
import { Slice } from '../lib/slice.ts'
import { errorBytes } from '../protocol/reply.ts'
import type { Cluster } from './cluster.ts'
import { type Node, REPLICA } from './node.ts'

const CROSSSLOT = errorBytes("CROSSSLOT Keys in request don't hash to the same slot")
const TRYAGAIN = errorBytes('TRYAGAIN Multiple keys request during rehashing of slot')
const MOVING = errorBytes('TRYAGAIN Slot is on its way to another node: some of its keys are there')
const DOWN = errorBytes('CLUSTERDOWN The cluster is down')
const DOWN_READS = errorBytes('CLUSTERDOWN The cluster is down and only accepts read commands')
const UNBOUND = errorBytes('CLUSTERDOWN Hash slot not served')

const SCRIPT_CROSSSLOT = errorBytes('ERR Script attempted to access keys that do not hash to the same slot')
const SCRIPT_NON_LOCAL = errorBytes('ERR Script attempted to access a non local key in a cluster node')
const SCRIPT_DOWN = errorBytes('ERR Script attempted to execute a command while the cluster is down')
const SCRIPT_DOWN_READS = errorBytes(
  'ERR Script attempted to execute a write command while the cluster is down and readonly',
)
const IN_SCRIPTS = new Map<Uint8Array, Uint8Array>([
  [CROSSSLOT, SCRIPT_CROSSSLOT],
  [DOWN, SCRIPT_DOWN],
  [DOWN_READS, SCRIPT_DOWN_READS],
])

/** What the gate needs of the server. */
interface GateServer {
  readonly table: CommandTable
  database(): Database
  /** The tables of keys: the slot of this key need not be computed again, until forget(). */
  readonly slots: { learn(key: Slice, slot: number): void; forget(): void }
  /** The client's connection is encrypted. */
  isTls(client: Client): boolean
  /** The running script may use keys of several slots. */
  scriptMayCrossSlots(): boolean
}

/** What decides how a command is judged. `none`: it has no keys. */
type Kind = 'none' | 'shard' | 'migrate' | 'exec' | 'scan' | 'other'

interface KnownKind {
  readonly command: Command
  readonly kind: Kind
}

const KINDS = new Map<string, Kind>([
  ['ssubscribe', 'shard'],
  ['sunsubscribe', 'shard'],
  ['spublish', 'shard'],
  ['migrate', 'migrate'],
  ['exec', 'exec'],
  ['clusterscan', 'scan'],
])

/** Flags that make a difference even for a command of one key that is served here. */
const JUDGED = CLIENT_MASTER | CLIENT_ASKING

export class RedirectGate {
  private readonly cluster: Cluster
  private readonly server: GateServer
  private readonly slots: GateServer['slots']
  /** By TableEntry.id; ids change when a module's commands go. */
  private readonly kinds: (KnownKind | undefined)[] = []
  private readonly firstKey = new Slice()
  /** The slot of the client's command that has passed last, with what a script in it used; -1: none, or several. */
  commandSlot = -1
  /** Of the command that is judged: -1 before its first key. */
  private slot = -1
  private several = false
  private present = 0
  private absent = 0
  /** The slot of the current script's keys; -1: none was used yet. */
  private scriptSlot = -1

  constructor(cluster: Cluster, server: GateServer) {
    this.cluster = cluster
    this.server = server
    this.slots = server.slots
  }

  /**
   * The rule in short, for Engine.gates.passage: a command whose only key is the first argument, in a slot that is
   * served here. False for any other.
   */
  readonly passage = (client: Client, entry: TableEntry, args: Slice[]): boolean => {
    const { cluster } = this
    if ((entry.flags & CMD_SOLE_KEY) === 0 || (client.flags & JUDGED) !== 0 || !cluster.isOk) return false
    const key = args[1]
    const slot = keySlot(key)
    // The bits of this node's slots are near; their owners are pointers in a hundred kilobytes.
    if (!cluster.me.slots.has(slot) || cluster.movesSlots) return false
    this.scriptSlot = this.commandSlot = slot
    this.slots.learn(key, slot)
    return true
  }

  /** The rule for Engine.gates. */
  readonly rule: Gate = (client, entry, args, argc, flags, place) => {
    this.slots.forget()
    if (client.has(CLIENT_MASTER)) return undefined
    const asking = client.has(CLIENT_ASKING)
    if (asking && place === 'client' && !client.has(CLIENT_MULTI)) client.flags &= ~CLIENT_ASKING
    const kind = this.kindOf(entry)
    if (!this.collect(client, kind, entry, args, argc, place)) return this.refuse(CROSSSLOT, place)
    const { slot } = this
    if (place !== 'script') this.scriptSlot = slot
    if (slot < 0) return undefined
    const verdict = this.judge(client, kind, entry, flags, asking)
    if (verdict !== undefined) return this.refuse(verdict, place)
    if (place === 'script') return this.checkScriptSlot(slot)
    this.commandSlot = slot
    return undefined
  }

  /** The slot of a command's keys; -1: it has none, or of several slots. */
  slotOfKeys(entry: TableEntry, args: Slice[], argc: number): number {
    this.slot = -1
    return this.collectKeys(this.kindOf(entry), entry, args, argc) ? this.slot : -1
  }

  private refuse(error: Uint8Array, place: Place): Uint8Array {
    return place === 'script' ? (IN_SCRIPTS.get(error) ?? SCRIPT_NON_LOCAL) : error
  }

  private checkScriptSlot(slot: number): Uint8Array | undefined {
    if (this.scriptSlot < 0) this.scriptSlot = this.commandSlot = slot
    if (this.scriptSlot === slot) return undefined
    if (!this.server.scriptMayCrossSlots()) return SCRIPT_CROSSSLOT
    this.commandSlot = -1
    return undefined
  }

  /** Finds the slot of the command's keys, of EXEC all queued commands'; false: there are several. */
  private collect(client: Client, kind: Kind, entry: TableEntry, args: Slice[], argc: number, place: Place): boolean {
    this.slot = -1
    this.several = false
    this.present = this.absent = 0
    if (kind !== 'exec' || place === 'script') return this.collectKeys(kind, entry, args, argc)
    if (!client.has(CLIENT_MULTI)) return true
    return !client.queued!.some(this.crosses)
  }

  private readonly crosses = (entry: TableEntry, args: Slice[], argc: number) =>
    !this.collectKeys(this.kindOf(entry), entry, args, argc)

  private collectKeys(kind: Kind, entry: TableEntry, args: Slice[], argc: number): boolean {
    if (kind === 'none') return true
    if ((entry.flags & CMD_SOLE_KEY) !== 0) return this.collectKey(args[1], false)
    if (kind === 'scan') return this.collectCursor(args[1])
    const shard = kind === 'shard'
    // The channels of shard commands count as keys.
    const channels = shard ? (entry.fullName === 'spublish' ? 1 : argc - 1) : 0
    const keys = shard ? undefined : this.server.table.keysOf(entry, args, argc)
    const count = keys?.count ?? channels
    for (let i = 0; i < count; i++) {
      if (!this.collectKey(args[keys === undefined ? i + 1 : keys.positions[i]], shard)) return false
    }
    return true
  }

  private collectKey(key: Slice, isChannel: boolean): boolean {
    const slot = keySlot(key)
    if (this.slot < 0) {
      this.slot = slot
      this.firstKey.set(key.u8, key.dv, key.off, key.len)
    } else if (slot !== this.slot) return false
    else if (!this.several && !this.firstKey.equals(key)) this.several = true
    if (!isChannel && this.isOpen(slot)) {
      if (this.server.database().find(key, LOOKUP_NO_EXPIRE) === 0) this.absent++
      else this.present++
    }
    return true
  }

  /** CLUSTERSCAN runs where the slot of its cursor is; its first call runs anywhere. */
  private collectCursor(cursor: Slice): boolean {
    if (cursor.len === 1 && cursor.byte(0) === ZERO) return true
    const slot = keySlot(cursor)
    if (this.slot >= 0 && slot !== this.slot) return false
    this.slot = slot
    return true
  }

  /** The slot is on its way to or from another node. */
  private isOpen(slot: number): boolean {
    const { migrating, importing } = this.cluster
    return (migrating.size > 0 && migrating.has(slot)) || (importing.size > 0 && importing.has(slot))
  }

  private judge(client: Client, kind: Kind, entry: TableEntry, flags: number, asking: boolean): Uint8Array | undefined {
    const { cluster, slot } = this
    const { me } = cluster
    const owner = cluster.owners[slot]
    if (owner === undefined) return UNBOUND
    if (cluster.moves.imports.size > 0 && cluster.moves.imports.takes(client, slot)) return undefined
    if (!cluster.isOk) {
      const refusal = this.refusalWhenDown(kind === 'shard', flags)
      if (refusal !== undefined) return refusal
    }
    if (owner === me && cluster.migrating.size === 0) return undefined
    const target = owner === me ? cluster.migrating.get(slot) : undefined
    const arrives = owner !== me && cluster.importing.has(slot)
    if ((target !== undefined || arrives) && kind === 'migrate') return undefined
    if (kind === 'scan' && (target !== undefined || (arrives && asking))) return MOVING
    if (target !== undefined && this.absent > 0)
      return this.present > 0 ? TRYAGAIN : this.redirect('ASK', target, client)
    if (arrives && (asking || entry.command.flags.includes('asking')))
      return this.several && this.absent > 0 ? TRYAGAIN : undefined
    if (owner === me) return undefined
    // A replica does not know that its primary's slot moves: scans are the primary's.
    const mayReadHere = (client.has(CLIENT_READONLY) && kind !== 'scan') || kind === 'shard'
    if (mayReadHere && (flags & CMD_WRITE) === 0 && me.has(REPLICA) && me.primary === owner) return undefined
    return this.redirect('MOVED', owner, client)
  }

  private refusalWhenDown(shard: boolean, flags: number): Uint8Array | undefined {
    const { settings } = this.cluster.host
    if (shard) return settings.clusterAllowPubsubshardWhenDown ? undefined : DOWN
    if (!settings.clusterAllowReadsWhenDown) return DOWN
    return (flags & CMD_WRITE) !== 0 ? DOWN_READS : undefined
  }

  private redirect(how: 'MOVED' | 'ASK', node: Node, client: Client): Uint8Array {
    return errorBytes(`${how} ${this.slot} ${redirectTarget(this.cluster, node, this.server.isTls(client))}`)
  }

  private kindOf(entry: TableEntry): Kind {
    const { command, id } = entry
    const known = this.kinds[id]
    if (known !== undefined && known.command === command) return known.kind
    const kind = KINDS.get(entry.fullName) ?? (entry.hasKeys() ? 'other' : 'none')
    this.kinds[id] = { command, kind }
    return kind
  }

  /** The error for a client that is blocked on a key whose slot has left; undefined: it may wait on. */
  refusalForBlocked(client: Client, key: Slice, isWrite: boolean): Uint8Array | undefined {
    const { cluster } = this
    const { me } = cluster
    if (!cluster.isOk) return DOWN
    this.slot = keySlot(key)
    const owner = cluster.owners[this.slot]
    if (owner === me || cluster.importing.has(this.slot)) return undefined
    if (client.has(CLIENT_READONLY) && !isWrite && me.has(REPLICA) && me.primary === owner) return undefined
    return owner === undefined ? UNBOUND : this.redirect('MOVED', owner, client)
  }
}

/** 'host:port' of a node, as `cluster-preferred-endpoint-type` wants it. */
function redirectTarget(cluster: Cluster, node: Node, tls: boolean): string {
  return `${preferredEndpoint(cluster, node)}:${node.clientPort(tls)}`
}

export function preferredEndpoint({ host }: Cluster, node: Node): string {
  const type = host.settings.clusterPreferredEndpointType
  if (type === 'ip') return node.address.ip
  return type === 'hostname' ? node.hostname || '?' : ''
}
