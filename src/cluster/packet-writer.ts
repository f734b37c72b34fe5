// Packets that are written: their layout is in packet.ts.

import { TWO_32 } from '../lib/bits.ts'
import { writeLatin1 } from '../lib/bytes.ts'
import { BITMAP_BYTES } from './bitmap.ts'
import type { NodeAddress } from './node.ts'
import {
  EXT_FORGOTTEN,
  EXT_HEAD_BYTES,
  EXT_HOSTNAME,
  EXT_HUMAN_NAME,
  EXT_SHARD,
  type Extensions,
  GOSSIP_BYTES,
  HEADER_BYTES,
  ID_CHARS,
  IP_BYTES,
  LIGHT_HEADER_BYTES,
  LIGHT_TYPE,
  MAGIC,
  MFLAG_EXTENSIONS,
  PRIMARY_AT,
  SLOTS_AT,
  VERSION,
} from './packet.ts'
import type { SlotSet } from './slot-set.ts'

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

/** What a ping says of a node. */
export interface GossipNode {
  readonly number: number
  readonly pingSentMs: number
  readonly pongMs: number
  readonly flags: number
  readonly id: string
  readonly address: NodeAddress
}

/** The nodes that a ping names. */
interface Named {
  readonly nodes: readonly GossipNode[]
  /** Writes an entry to words[at]: what putEntry() does. */
  readonly entries: { put(words: Int32Array, at: number, node: GossipNode, isTls: boolean): void }
  /** The bus is within TLS. */
  readonly isTls: boolean
}

function begin(header: Header, dataBytes: number): { u8: Uint8Array; dv: DataView } {
  const buffer = new ArrayBuffer(HEADER_BYTES + dataBytes)
  const u8 = new Uint8Array(buffer)
  const dv = new DataView(buffer)
  dv.setUint32(0, MAGIC)
  dv.setUint32(4, u8.length)
  dv.setUint16(8, VERSION)
  dv.setUint16(10, header.port)
  dv.setUint16(12, header.type)
  putUint64(dv, 16, header.currentEpoch)
  putUint64(dv, 24, header.configEpoch)
  putUint64(dv, 32, Math.max(0, header.offset))
  putText(u8, 40, header.sender, ID_CHARS)
  header.slots.copyTo(u8, SLOTS_AT)
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
  const { nodes, entries, isTls } = named
  const list = extensionList(extensions)
  const extBytes = list.reduce((sum, { data }) => sum + EXT_HEAD_BYTES + data.length, 0)
  const { u8, dv } = begin(header, nodes.length * GOSSIP_BYTES + extBytes)
  dv.setUint16(14, nodes.length)
  dv.setUint16(2214, list.length)
  if (list.length > 0) u8[2253] |= MFLAG_EXTENSIONS
  const words = new Int32Array(u8.buffer)
  let at = HEADER_BYTES
  for (const one of nodes) {
    entries.put(words, at >>> 2, one, isTls)
    putState(u8, at, one)
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

/** What seldom changes of an entry; zeros elsewhere. */
export function putEntry(dv: DataView, at: number, id: string, address: NodeAddress, isTls: boolean): void {
  const { ip, port, tlsPort, busPort } = address
  const u8 = new Uint8Array(dv.buffer, at, GOSSIP_BYTES)
  u8.fill(0)
  putText(u8, 0, id, ID_CHARS)
  putText(u8, 48, ip, IP_BYTES - 1)
  dv.setUint16(at + 94, isTls ? tlsPort : port)
  dv.setUint16(at + 96, busPort)
  dv.setUint16(at + 100, isTls ? port : tlsPort)
}

function putState(u8: Uint8Array, at: number, { pingSentMs, pongMs, flags }: GossipNode): void {
  putUint32(u8, at + 40, Math.floor(pingSentMs / 1000))
  putUint32(u8, at + 44, Math.floor(pongMs / 1000))
  u8[at + 98] = flags >>> 8
  u8[at + 99] = flags
}

function putUint32(u8: Uint8Array, at: number, value: number): void {
  u8[at] = value >>> 24
  u8[at + 1] = value >>> 16
  u8[at + 2] = value >>> 8
  u8[at + 3] = value
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
