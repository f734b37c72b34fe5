// Packets of the cluster bus. Integers are big-endian.
//
//      0  "RCmb"            80  slots of the sender's primary (2048)       2248  bus port
//      4  total length    2128  id of its primary (40), or zeros           2250  flags
//      8  version         2168  announced IP (46), or zeros                2252  state
//     10  port            2214  number of extensions                       2253  message flags (3)
//     12  type            2216  unused (30)                                2256  data
//     14  gossip entries  2246  the other kind of port
//     16  current epoch, 24 configuration epoch, 32 replication offset, 40 sender's id (40)
//
//   gossip entry (104)    id 40 | ping sent s 4 | pong received s 4 | ip 46 | port 2 | bus port 2 | flags 2 | other
// port 2 | 2
//   extension             length 4 (a multiple of 8, itself included) | type 2 | 2 | data
//
// PUBLISH and PUBLISHSHARD have a light form for nodes that announce LIGHT: bytes 0 to 15 with 0x8000 added to the type
// and no port, then the data. Its sender is who sent the last whole packet over the link.
//
// Always: parse() accepts only packets whose length is exactly what their counts say; readers need not check again.
// Source: Redis 7.2's cluster.h, and Valkey 8's of the light form.

import { TWO_32 } from '../lib/bits.ts'
import { latin1Text, writeLatin1 } from '../lib/bytes.ts'
import { BITMAP_BYTES } from './bitmap.ts'
import type { SlotSet } from './slot-set.ts'

export const PING = 0
export const PONG = 1
export const MEET_TYPE = 2
export const FAIL_TYPE = 3
export const PUBLISH = 4
export const AUTH_REQUEST = 5
export const AUTH_ACK = 6
export const UPDATE = 7
export const MFSTART = 8
const MODULE = 9
export const PUBLISHSHARD = 10

/** By type, as CLUSTER INFO names them. */
export const TYPE_NAMES = [
  'ping',
  'pong',
  'meet',
  'fail',
  'publish',
  'auth-req',
  'auth-ack',
  'update',
  'mfstart',
  'module',
  'publishshard',
]

export const ID_CHARS = 40
const IP_BYTES = 46
const GOSSIP_BYTES = 104
export const HEADER_BYTES = 2256
const LIGHT_HEADER_BYTES = 16
const LIGHT_TYPE = 0x8000
const VERSION = 1
/** Extensions follow the gossip entries. */
const MFLAG_EXTENSIONS = 4
/** The sender has paused its clients for a manual failover. */
export const MFLAG_PAUSED = 1
/** A vote is asked for although the primary is up. */
export const MFLAG_FORCE = 2

const EXT_HOSTNAME = 0
const EXT_HUMAN_NAME = 1
const EXT_FORGOTTEN = 2
const EXT_SHARD = 3
const EXT_HEAD_BYTES = 8

const MAGIC = 0x52436d62
/** Of the id of the sender's primary. */
export const PRIMARY_AT = 2128

export interface Gossip {
  id: string
  pingSentS: number
  pongS: number
  ip: string
  port: number
  busPort: number
  flags: number
  otherPort: number
}

/** What a ping says of a node. */
interface GossipNode {
  readonly number: number
  readonly pingSentMs: number
  readonly pongMs: number
  readonly flags: number
  readonly address: { readonly ip: string; readonly port: number; readonly tlsPort: number; readonly busPort: number }
}

/** The nodes that a ping names. */
interface Named {
  readonly nodes: readonly GossipNode[]
  readonly ids: { putId(bytes: DataView, at: number, node: GossipNode): void }
  /** The bus is within TLS. */
  readonly isTls: boolean
}

interface Extensions {
  hostname?: string | undefined
  humanName?: string | undefined
  shardId?: string | undefined
  forgotten: { id: string; ttlS: number }[]
}

/** The fields of a header that this node fills in. */
export interface Header {
  type: number
  port: number
  currentEpoch: number
  configEpoch: number
  offset: number
  sender: string
  slots: SlotSet
  /** '' : none. */
  primary: string
  announcedIp: string
  otherPort: number
  busPort: number
  flags: number
  state: number
  messageFlags: number
}

// ---- reading ----

/** A received packet. Its getters read the bytes, which are valid while it is handled. */
export class Packet {
  readonly u8: Uint8Array
  readonly dv: DataView

  private constructor(u8: Uint8Array) {
    this.u8 = u8
    this.dv = new DataView(u8.buffer, u8.byteOffset, u8.byteLength)
  }

  /** A whole packet, or why it is ignored ('' : of another version). */
  static parse(u8: Uint8Array): Packet | string {
    const packet = new Packet(u8)
    if (packet.dv.getUint16(8) !== VERSION) return ''
    const expected = packet.expectedBytes()
    if (expected === u8.length) return packet
    const name = TYPE_NAMES[packet.type] ?? 'unknown'
    return `Received invalid ${name} packet of length ${u8.length} but expected length ${expected}`
  }

  get type(): number {
    return this.dv.getUint16(12) & ~LIGHT_TYPE
  }
  /** It has no fields of the header besides the type. */
  get isLight(): boolean {
    return (this.dv.getUint16(12) & LIGHT_TYPE) !== 0
  }
  get gossipCount(): number {
    return this.dv.getUint16(14)
  }
  get currentEpoch(): number {
    return uint64At(this.dv, 16)
  }
  get configEpoch(): number {
    return uint64At(this.dv, 24)
  }
  get offset(): number {
    return uint64At(this.dv, 32)
  }
  get sender(): string {
    return latin1Text(this.u8, 40, 80)
  }
  get slots(): Uint8Array {
    return this.u8.subarray(80, 80 + BITMAP_BYTES)
  }
  isFrom(id: string): boolean {
    return hasText(this.u8, 40, id)
  }
  /** The sender says that it is a replica. */
  get hasPrimary(): boolean {
    for (let at = PRIMARY_AT; at < PRIMARY_AT + ID_CHARS; at++) if (this.u8[at] !== 0) return true
    return false
  }
  /** '' : the sender is a primary. */
  get primary(): string {
    return this.hasPrimary ? latin1Text(this.u8, PRIMARY_AT, PRIMARY_AT + ID_CHARS) : ''
  }
  get announcedIp(): string {
    return this.text(2168, IP_BYTES)
  }
  get port(): number {
    return this.dv.getUint16(10)
  }
  get otherPort(): number {
    return this.dv.getUint16(2246)
  }
  get busPort(): number {
    return this.dv.getUint16(2248)
  }
  get flags(): number {
    return this.dv.getUint16(2250)
  }
  get messageFlags(): number {
    return this.u8[2253]
  }

  /** Where the entry begins, with its node's id. */
  gossipAt(index: number): number {
    return HEADER_BYTES + index * GOSSIP_BYTES
  }
  gossipFlags(index: number): number {
    return this.dv.getUint16(HEADER_BYTES + index * GOSSIP_BYTES + 98)
  }
  gossipPongS(index: number): number {
    return this.dv.getUint32(HEADER_BYTES + index * GOSSIP_BYTES + 44)
  }

  /** The whole entry. */
  gossip(index: number): Gossip {
    const at = this.gossipAt(index)
    const { dv } = this
    return {
      id: latin1Text(this.u8, at, at + ID_CHARS),
      pingSentS: dv.getUint32(at + 40),
      pongS: dv.getUint32(at + 44),
      ip: this.text(at + 48, IP_BYTES),
      port: dv.getUint16(at + 94),
      busPort: dv.getUint16(at + 96),
      flags: dv.getUint16(at + 98),
      otherPort: dv.getUint16(at + 100),
    }
  }

  extensions(): Extensions {
    const found: Extensions = { forgotten: [] }
    this.eachExtension((type, at, bytes) => {
      if (type === EXT_HOSTNAME) found.hostname = this.text(at, bytes)
      else if (type === EXT_HUMAN_NAME) found.humanName = this.text(at, bytes)
      else if (type === EXT_SHARD && bytes >= ID_CHARS) found.shardId = latin1Text(this.u8, at, at + ID_CHARS)
      else if (type === EXT_FORGOTTEN && bytes >= ID_CHARS + 8) {
        const ttlS = uint64At(this.dv, at + ID_CHARS)
        found.forgotten.push({ id: latin1Text(this.u8, at, at + ID_CHARS), ttlS })
      }
    })
    return found
  }

  /** FAIL: about whom. */
  get failing(): string {
    return latin1Text(this.u8, HEADER_BYTES, HEADER_BYTES + ID_CHARS)
  }

  /** UPDATE: the configuration of another node. */
  get update(): { configEpoch: number; id: string; slots: Uint8Array } {
    const at = HEADER_BYTES
    return {
      configEpoch: uint64At(this.dv, at),
      id: latin1Text(this.u8, at + 8, at + 48),
      slots: this.u8.subarray(at + 48, at + 48 + BITMAP_BYTES),
    }
  }

  /** PUBLISH: where channel and message are in the bytes. */
  get published(): { channelAt: number; channelBytes: number; messageBytes: number } {
    const at = this.isLight ? LIGHT_HEADER_BYTES : HEADER_BYTES
    return { channelAt: at + 8, channelBytes: this.dv.getUint32(at), messageBytes: this.dv.getUint32(at + 4) }
  }

  /** Text that ends with a zero byte or after `bytes`. */
  private text(at: number, bytes: number): string {
    let end = at
    while (end < at + bytes && this.u8[end] !== 0) end++
    return latin1Text(this.u8, at, end)
  }

  private eachExtension(visit: (type: number, at: number, bytes: number) => void): void {
    if ((this.messageFlags & MFLAG_EXTENSIONS) === 0) return
    let at = HEADER_BYTES + this.gossipCount * GOSSIP_BYTES
    for (let left = this.dv.getUint16(2214); left > 0; left--) {
      const bytes = this.dv.getUint32(at)
      visit(this.dv.getUint16(at + 4), at + EXT_HEAD_BYTES, bytes - EXT_HEAD_BYTES)
      at += bytes
    }
  }

  /** The length that a packet of this type and these counts has; -1: its extensions are malformed. */
  private expectedBytes(): number {
    const { dv, u8 } = this
    if (this.isLight) return this.expectedLightBytes()
    switch (this.type) {
      case PING:
      case PONG:
      case MEET_TYPE:
        return this.expectedPingBytes()
      case FAIL_TYPE:
        return HEADER_BYTES + ID_CHARS
      case PUBLISH:
      case PUBLISHSHARD:
        if (u8.length < HEADER_BYTES + 8) return -1
        return HEADER_BYTES + 8 + dv.getUint32(HEADER_BYTES) + dv.getUint32(HEADER_BYTES + 4)
      case AUTH_REQUEST:
      case AUTH_ACK:
      case MFSTART:
        return HEADER_BYTES
      case UPDATE:
        return HEADER_BYTES + 48 + BITMAP_BYTES
      case MODULE:
        return u8.length < HEADER_BYTES + 13 ? -1 : HEADER_BYTES + 13 + dv.getUint32(HEADER_BYTES + 8)
    }
    return u8.length
  }

  private expectedLightBytes(): number {
    const { dv, u8, type } = this
    const isWhole = u8.length >= LIGHT_HEADER_BYTES + 8 && (type === PUBLISH || type === PUBLISHSHARD)
    if (!isWhole) return -1
    return LIGHT_HEADER_BYTES + 8 + dv.getUint32(LIGHT_HEADER_BYTES) + dv.getUint32(LIGHT_HEADER_BYTES + 4)
  }

  private expectedPingBytes(): number {
    const { dv, u8 } = this
    let bytes = HEADER_BYTES + this.gossipCount * GOSSIP_BYTES
    if ((this.messageFlags & MFLAG_EXTENSIONS) === 0) return bytes
    for (let left = dv.getUint16(2214); left > 0; left--) {
      if (bytes + EXT_HEAD_BYTES > u8.length) return -1
      const length = dv.getUint32(bytes)
      if (length < EXT_HEAD_BYTES || length % 8 !== 0 || bytes + length > u8.length) return -1
      bytes += length
    }
    return bytes
  }
}

// ---- writing ----

function begin(header: Header, dataBytes: number): { u8: Uint8Array; dv: DataView } {
  const u8 = new Uint8Array(HEADER_BYTES + dataBytes)
  const dv = new DataView(u8.buffer)
  dv.setUint32(0, MAGIC)
  dv.setUint32(4, u8.length)
  dv.setUint16(8, VERSION)
  dv.setUint16(10, header.port)
  dv.setUint16(12, header.type)
  putUint64(dv, 16, header.currentEpoch)
  putUint64(dv, 24, header.configEpoch)
  putUint64(dv, 32, Math.max(0, header.offset))
  putText(u8, 40, header.sender, ID_CHARS)
  header.slots.copyTo(u8, 80)
  putText(u8, PRIMARY_AT, header.primary, ID_CHARS)
  putText(u8, 2168, header.announcedIp, IP_BYTES - 1)
  dv.setUint16(2246, header.otherPort)
  dv.setUint16(2248, header.busPort)
  dv.setUint16(2250, header.flags)
  u8[2252] = header.state
  u8[2253] = header.messageFlags
  return { u8, dv }
}

function putText(u8: Uint8Array, at: number, text: string, bytesMax: number): void {
  writeLatin1(u8, at, text.length > bytesMax ? text.slice(0, bytesMax) : text)
}

function putUint64(dv: DataView, at: number, value: number): void {
  dv.setUint32(at, Math.floor(value / TWO_32))
  dv.setUint32(at + 4, value % TWO_32)
}

function uint64At(dv: DataView, at: number): number {
  return dv.getUint32(at) * TWO_32 + dv.getUint32(at + 4)
}

/** The text is at u8[at]. */
function hasText(u8: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (u8[at + i] !== text.charCodeAt(i)) return false
  return true
}

/** A packet without data: AUTH_REQUEST, AUTH_ACK, MFSTART. */
export function barePacket(header: Header): Uint8Array {
  return begin(header, 0).u8
}

export function failPacket(header: Header, id: string): Uint8Array {
  const { u8 } = begin(header, ID_CHARS)
  putText(u8, HEADER_BYTES, id, ID_CHARS)
  return u8
}

export function updatePacket(header: Header, id: string, configEpoch: number, slots: SlotSet): Uint8Array {
  const { u8, dv } = begin(header, 48 + BITMAP_BYTES)
  putUint64(dv, HEADER_BYTES, configEpoch)
  putText(u8, HEADER_BYTES + 8, id, ID_CHARS)
  slots.copyTo(u8, HEADER_BYTES + 48)
  return u8
}

export function publishPacket(header: Header, channel: Uint8Array, message: Uint8Array): Uint8Array {
  const { u8, dv } = begin(header, 8 + channel.length + message.length)
  putPublished(u8, dv, HEADER_BYTES, channel, message)
  return u8
}

export function lightPublishPacket(type: number, channel: Uint8Array, message: Uint8Array): Uint8Array {
  const u8 = new Uint8Array(LIGHT_HEADER_BYTES + 8 + channel.length + message.length)
  const dv = new DataView(u8.buffer)
  dv.setUint32(0, MAGIC)
  dv.setUint32(4, u8.length)
  dv.setUint16(8, VERSION)
  dv.setUint16(12, type | LIGHT_TYPE)
  putPublished(u8, dv, LIGHT_HEADER_BYTES, channel, message)
  return u8
}

function putPublished(u8: Uint8Array, dv: DataView, at: number, channel: Uint8Array, message: Uint8Array): void {
  dv.setUint32(at, channel.length)
  dv.setUint32(at + 4, message.length)
  u8.set(channel, at + 8)
  u8.set(message, at + 8 + channel.length)
}

/** PING, PONG and MEET. */
export function pingPacket(header: Header, named: Named, extensions: Extensions): Uint8Array {
  const { nodes, ids, isTls } = named
  const list = extensionList(extensions)
  const extBytes = list.reduce((sum, { data }) => sum + EXT_HEAD_BYTES + data.length, 0)
  const { u8, dv } = begin(header, nodes.length * GOSSIP_BYTES + extBytes)
  dv.setUint16(14, nodes.length)
  dv.setUint16(2214, list.length)
  if (list.length > 0) u8[2253] |= MFLAG_EXTENSIONS
  let at = HEADER_BYTES
  for (const one of nodes) {
    ids.putId(dv, at, one)
    putGossip(u8, dv, at, one, isTls)
    at += GOSSIP_BYTES
  }
  for (const { type, data } of list) {
    dv.setUint32(at, EXT_HEAD_BYTES + data.length)
    dv.setUint16(at + 4, type)
    u8.set(data, at + EXT_HEAD_BYTES)
    at += EXT_HEAD_BYTES + data.length
  }
  return u8
}

/** An entry but for its id. */
function putGossip(u8: Uint8Array, dv: DataView, at: number, one: GossipNode, isTls: boolean): void {
  const { ip, port, tlsPort, busPort } = one.address
  dv.setUint32(at + 40, Math.floor(one.pingSentMs / 1000))
  dv.setUint32(at + 44, Math.floor(one.pongMs / 1000))
  putText(u8, at + 48, ip, IP_BYTES - 1)
  dv.setUint16(at + 94, isTls ? tlsPort : port)
  dv.setUint16(at + 96, busPort)
  dv.setUint16(at + 98, one.flags)
  dv.setUint16(at + 100, isTls ? port : tlsPort)
}

function extensionList({ hostname, humanName, shardId, forgotten }: Extensions): { type: number; data: Uint8Array }[] {
  const list: { type: number; data: Uint8Array }[] = []
  const addText = (type: number, text: string) => list.push({ type, data: padded(text) })
  if (hostname) addText(EXT_HOSTNAME, hostname)
  if (humanName) addText(EXT_HUMAN_NAME, humanName)
  for (const { id, ttlS } of forgotten) {
    const data = new Uint8Array(ID_CHARS + 8)
    putText(data, 0, id, ID_CHARS)
    putUint64(new DataView(data.buffer), ID_CHARS, ttlS)
    list.push({ type: EXT_FORGOTTEN, data })
  }
  if (shardId) {
    const data = new Uint8Array(ID_CHARS)
    putText(data, 0, shardId, ID_CHARS)
    list.push({ type: EXT_SHARD, data })
  }
  return list
}

/** Text with its zero byte, up to a multiple of eight bytes. */
function padded(text: string): Uint8Array {
  const data = new Uint8Array(Math.ceil((text.length + 1) / 8) * 8)
  putText(data, 0, text, text.length)
  return data
}

/** The length of the packet that begins there; -1: none does; undefined: not enough bytes to tell. */
export function packetBytes(u8: Uint8Array, at: number, end: number): number | undefined {
  if (end - at < 8) return undefined
  const bytes = uint32At(u8, at + 4)
  if (uint32At(u8, at) !== MAGIC || bytes < LIGHT_HEADER_BYTES) return -1
  if (end - at < LIGHT_HEADER_BYTES) return undefined
  return bytes >= HEADER_BYTES || (u8[at + 12] & (LIGHT_TYPE >> 8)) !== 0 ? bytes : -1
}

function uint32At(u8: Uint8Array, at: number): number {
  return ((u8[at] << 24) | (u8[at + 1] << 16) | (u8[at + 2] << 8) | u8[at + 3]) >>> 0
}
