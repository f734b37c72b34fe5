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
import { latin1Text } from '../lib/bytes.ts'
import { BITMAP_BYTES } from './bitmap.ts'

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
export const IP_BYTES = 46
export const GOSSIP_BYTES = 104
export const HEADER_BYTES = 2256
export const LIGHT_HEADER_BYTES = 16
export const LIGHT_TYPE = 0x8000
export const VERSION = 1
/** Extensions follow the gossip entries. */
export const MFLAG_EXTENSIONS = 4
/** The sender has paused its clients for a manual failover. */
export const MFLAG_PAUSED = 1
/** A vote is asked for although the primary is up. */
export const MFLAG_FORCE = 2

export const EXT_HOSTNAME = 0
export const EXT_HUMAN_NAME = 1
export const EXT_FORGOTTEN = 2
export const EXT_SHARD = 3
export const EXT_HEAD_BYTES = 8

export const MAGIC = 0x52436d62
export const SLOTS_AT = 80
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

export interface Extensions {
  hostname?: string | undefined
  humanName?: string | undefined
  shardId?: string | undefined
  forgotten: { id: string; ttlS: number }[]
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
    return this.u8.subarray(SLOTS_AT, SLOTS_AT + BITMAP_BYTES)
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

function uint64At(dv: DataView, at: number): number {
  return dv.getUint32(at) * TWO_32 + dv.getUint32(at + 4)
}

/** The text is at u8[at]. */
function hasText(u8: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (u8[at + i] !== text.charCodeAt(i)) return false
  return true
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
