// The nodes file, and CLUSTER NODES, which has the same lines:
//
//   id ip:port@busport[,hostname[,name=value]…] flags primary|- ping pong epoch connected|disconnected slots…
// [slot->-id]…
//   vars currentEpoch n lastVoteEpoch n
//
// Always: the file is replaced as a whole; redis-server reads ours, and ours redis-server's.

import { splitWords } from '../lib/words.ts'
import { bitmapOf, rangesText, SLOTS, slotsIn } from './bitmap.ts'
import type { Cluster } from './cluster.ts'
import type { KnownImport } from './known-imports.ts'
import {
  BUS_PORT_OFFSET,
  FAIL,
  flagNamed,
  flagNames,
  HANDSHAKE,
  MIGRATE_TO,
  MYSELF,
  type Node,
  REPLICA,
} from './node.ts'
import { ID_CHARS } from './packet.ts'

/** The lines before the ranges of slots. */
const FIELDS = 8

const IMPORT_PREFIX = 'import-'
const LOST = 'lost'

/** The file is damaged. */
export class CorruptNodesFile extends Error {}

// ---- writing ----

/** A node's line; with `aux`, as in the file. */
export function nodeLine(cluster: Cluster, node: Node, tls: boolean, aux: boolean): string {
  const { primary } = node
  const isConnected = node.link !== undefined || node.has(MYSELF)
  const epoch = node.has(REPLICA) && primary !== undefined ? primary.configEpoch : node.configEpoch
  const who = `${node.id} ${node.endpoint(tls)}${namesText(node, tls, aux)} ${flagNames(node.flags)} ${primary?.id ?? '-'}`
  const state = `${Math.floor(node.pingSentMs)} ${Math.floor(node.pongMs)} ${epoch}`
  const slots = node.slotCount === 0 ? '' : ` ${node.slots.ranges}`
  const open = node.has(MYSELF) ? openSlotsText(cluster) : ''
  return `${who} ${state} ${isConnected ? 'connected' : 'disconnected'}${slots}${open}`
}

function namesText(node: Node, tls: boolean, aux: boolean): string {
  if (!aux) return node.hostname === '' ? '' : `,${node.hostname}`
  const other = tls ? `,tcp-port=${node.address.port}` : node.address.tlsPort ? `,tls-port=${node.address.tlsPort}` : ''
  const name = node.humanName === '' ? '' : `,nodename=${node.humanName}`
  return `,${node.hostname}${other}${name},shard-id=${node.shardId}`
}

function openSlotsText({ migrating, importing }: Cluster): string {
  if (migrating.size === 0 && importing.size === 0) return ''
  const slots = [...migrating.keys(), ...importing.keys()].sort((a, b) => a - b)
  return slots
    .map(slot => {
      const to = migrating.get(slot)
      return to === undefined ? ` [${slot}-<-${importing.get(slot)!.id}]` : ` [${slot}->-${to.id}]`
    })
    .join('')
}

/** The whole file. */
export function nodesText(cluster: Cluster): string {
  let text = ''
  for (const node of cluster.nodes.values())
    if (!node.has(HANDSHAKE)) text += `${nodeLine(cluster, node, false, true)}\n`
  return `${text}vars currentEpoch ${cluster.currentEpoch} lastVoteEpoch ${cluster.lastVoteEpoch}${movesText(cluster)}\n`
}

/**
 * Open atomic imports: ' import-<name> 5-9,12'; when prepared ' import-<name> 5-9,12@<source>:<its epoch>'. Lost slots
 * with keys: ' lost 5-9,12'.
 */
function movesText({ moves: { imports, cleaner } }: Cluster): string {
  let text = ''
  for (const [name, { slots, source, epoch }] of imports.known.byName) {
    text += ` ${IMPORT_PREFIX}${name} ${rangesText(slots).replaceAll(' ', ',')}`
    if (source !== '') text += `@${source}:${epoch}`
  }
  if (cleaner.lost.size > 0) {
    const ranges = [...cleaner.lost].map((slot): [number, number] => [slot, slot])
    text += ` ${LOST} ${rangesText(bitmapOf(ranges)).replaceAll(' ', ',')}`
  }
  return text
}

// ---- reading ----

/** Reads the file into a new cluster. Throws CorruptNodesFile. False: the file is empty. */
export function readNodes(cluster: Cluster, text: string): boolean {
  if (text === '') return false
  let me: Node | undefined
  for (const line of text.split('\n')) {
    if (line === '') continue
    const words = splitWords(line)
    if (words === undefined) throw new CorruptNodesFile(line)
    if (words[0]?.toLowerCase() === 'vars') readVars(cluster, words, line)
    else {
      const node = readNode(cluster, words, line)
      if (node.has(MYSELF)) me = node
    }
  }
  if (me === undefined) throw new CorruptNodesFile('no node is this one')
  cluster.me = me
  cluster.currentEpoch = cluster.maxEpoch
  return true
}

function readVars(cluster: Cluster, words: readonly string[], line: string): void {
  if (words.length % 2 === 0) throw new CorruptNodesFile(line)
  for (let i = 1; i < words.length; i += 2) {
    if (words[i].startsWith(IMPORT_PREFIX)) {
      cluster.moves.imports.known.byName.set(words[i].slice(IMPORT_PREFIX.length), readImport(words[i + 1], line))
      continue
    }
    if (words[i] === LOST) {
      for (const slot of slotsIn(readRanges(words[i + 1], line))) cluster.moves.cleaner.lost.add(slot)
      continue
    }
    const value = Number.parseInt(words[i + 1], 10)
    if (words[i] === 'currentEpoch') cluster.currentEpoch = value
    else if (words[i] === 'lastVoteEpoch') cluster.lastVoteEpoch = value
    else if (words[i] !== 'checksum') cluster.host.log.notice(`Skipping unknown cluster config variable '${words[i]}'`)
  }
}

function readImport(text: string, line: string): KnownImport {
  const [ranges, prepared = ''] = text.split('@')
  const [source, epoch = '0'] = prepared.split(':')
  return { slots: readRanges(ranges, line), source, epoch: Number.parseInt(epoch, 10) }
}

function readRanges(text: string, line: string): Uint8Array {
  const ranges: [number, number][] = []
  for (const range of text.split(',')) {
    const dash = range.indexOf('-')
    const first = Number.parseInt(range, 10)
    const last = dash < 0 ? first : Number.parseInt(range.slice(dash + 1), 10)
    if (!(first >= 0 && last >= first && last < SLOTS)) throw new CorruptNodesFile(line)
    ranges.push([first, last])
  }
  return bitmapOf(ranges)
}

function nodeNamed(cluster: Cluster, id: string, line: string): Node {
  if (!isId(id)) throw new CorruptNodesFile(line)
  const known = cluster.nodes.get(id)
  if (known !== undefined) return known
  const node = cluster.newNode(id, 0)
  cluster.add(node)
  return node
}

/** Forty lower case hexadecimal digits, as far as redis-server checks them: letters and digits. */
function isId(id: string): boolean {
  if (id.length !== ID_CHARS) return false
  for (const char of id) if (!((char >= 'a' && char <= 'z') || (char >= '0' && char <= '9'))) return false
  return true
}

function readNode(cluster: Cluster, words: readonly string[], line: string): Node {
  if (words.length < FIELDS) throw new CorruptNodesFile(line)
  const node = nodeNamed(cluster, words[0], line)
  const hasShard = readPlace(cluster, node, words[1], line)
  for (const name of words[2].split(',')) {
    const flag = flagNamed(name)
    if (flag === undefined) throw new CorruptNodesFile(line)
    node.flags |= flag
  }
  if (node.has(FAIL)) node.times.failedMs = cluster.nowMs
  if (words[3] !== '-') {
    const primary = nodeNamed(cluster, words[3], line)
    if (!hasShard) node.shardId = primary.shardId
    node.primary = primary
    primary.replicas.push(node)
    primary.flags |= MIGRATE_TO
  }
  if (words[4] !== '0') node.pingSentMs = cluster.nowMs
  if (words[5] !== '0') node.pongMs = cluster.nowMs
  node.configEpoch = node.has(REPLICA) && node.primary !== undefined ? 0 : Number.parseInt(words[6], 10)
  for (const word of words.slice(FIELDS)) readSlots(cluster, node, word, line)
  return node
}

/** ip:port@busport,hostname,name=value… True when it names the shard. */
function readPlace(cluster: Cluster, node: Node, word: string, line: string): boolean {
  const [place, hostname = '', ...aux] = word.split(',')
  const colon = place.lastIndexOf(':')
  if (colon < 0) throw new CorruptNodesFile(line)
  node.hostname = hostname
  const [port, busPort] = place.slice(colon + 1).split('@')
  const values = new Map(aux.map(one => one.split('=') as [string, string]))
  for (const name of values.keys())
    if (!['shard-id', 'nodename', 'tcp-port', 'tls-port'].includes(name)) throw new CorruptNodesFile(line)
  const number = (text: string | undefined) => Number.parseInt(text ?? '', 10) || 0
  let clientPort = number(values.get('tcp-port'))
  let tlsPort = number(values.get('tls-port'))
  const isTls = values.has('tcp-port') || (!values.has('tls-port') && cluster.host.settings.tlsCluster)
  if (isTls) tlsPort = number(port)
  else clientPort = number(port)
  const bus = number(busPort) || number(port) + BUS_PORT_OFFSET
  node.address = { ip: place.slice(0, colon), port: clientPort, tlsPort, busPort: bus }
  node.humanName = values.get('nodename') ?? ''
  const shardId = values.get('shard-id')
  if (shardId !== undefined) node.shardId = shardId
  return shardId !== undefined
}

/** 5, 5-10, [5->-id] or [5-<-id] */
function readSlots(cluster: Cluster, node: Node, word: string, line: string): void {
  const slotOf = (text: string) => {
    const slot = Number.parseInt(text, 10)
    if (!(slot >= 0 && slot < SLOTS)) throw new CorruptNodesFile(line)
    return slot
  }
  if (word.startsWith('[')) {
    const dash = word.indexOf('-')
    const other = nodeNamed(cluster, word.slice(dash + 3, -1), line)
    const map = word[dash + 1] === '>' ? cluster.migrating : cluster.importing
    map.set(slotOf(word.slice(1, dash)), other)
    return
  }
  const [first, last = first] = word.split('-')
  for (let slot = slotOf(first); slot <= slotOf(last); slot++)
    if (cluster.owners[slot] === undefined) cluster.assign(node, slot)
}
