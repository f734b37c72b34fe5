// Everything a server says beside its replies, as one client after the other can see it:
//
//   replica stream, append-only file   the propagated commands
//   keyspace events, MONITOR           a subscriber's messages, a monitor's lines
//   figures                            INFO's counters that do not depend on time or memory
//   slow log, clients, encodings       SLOWLOG GET, CLIENT LIST, OBJECT ENCODING
//
// Always: what is returned has been said by all commands whose replies had come before. Addresses and client ids are
// replaced by names; times and sizes are left out. The observers' own commands do not appear.

import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { encodeCommand, type PlainValue, parseReply, plain } from '../harness/resp.ts'
import { sleep } from '../harness/target.ts'
import { CommandRows } from './command-rows.ts'
import type { FuzzConnection } from './connection.ts'
import { FIGURES, figuresOf } from './figures.ts'
import { ReplicaLink } from './replica-link.ts'
import { type FuzzServer, SMALL_LIMITS } from './servers.ts'

/** Rows of words by what was observed. */
export type Observation = ReadonlyMap<string, readonly Row[]>
export type Row = readonly string[]

const CLIENT_FIELDS = 'name flags db sub psub ssub multi cmd user resp lib-name lib-ver'.split(' ')
const SLOW_LOG_MAX = '4096'

export class Observer {
  private readonly server: FuzzServer
  private generation = 0
  private control!: FuzzConnection
  private monitor!: FuzzConnection
  private events!: FuzzConnection
  private replica!: ReplicaLink
  private file = -1
  private fileRead = 0
  private fileRows = new CommandRows()
  private names = new Map<string, string>()
  private dirtyBefore = 0

  constructor(server: FuzzServer) {
    this.server = server
  }

  /** Empties the server, after the clients of the last epoch are gone. */
  async empty(): Promise<void> {
    const port = await this.server.started()
    if (this.generation !== this.server.generation) await this.open(port)
    this.names = new Map()
    for (const connection of [this.control, this.monitor, this.events]) this.names.set(String(connection.port), '')
    await this.control.call('CLIENT', 'UNPAUSE')
    for (let turnsLeft = 1000; turnsLeft > 0 && !(await this.isAlone()); turnsLeft--) await sleep(1)
    await this.mustBeOk('CONFIG', 'SET', ...Object.entries(SMALL_LIMITS).flat())
    await this.mustBeOk('FLUSHALL')
    await this.mustBeOk('FUNCTION', 'FLUSH')
    await this.mustBeOk('SCRIPT', 'FLUSH')
  }

  /** Resets what the server counts, and forgets what it said. */
  async begin(): Promise<void> {
    await this.mustBeOk('CONFIG', 'RESETSTAT')
    this.dirtyBefore = 0
    const before = (await this.look([])).get('figures')?.find(([name]) => name === 'rdb_changes_since_last_save')
    this.dirtyBefore = Number(before?.[1] ?? 0)
  }

  /** The id that the next client will not get any more. */
  async nextId(): Promise<number> {
    const connection = await this.server.connect()
    const id = Number(await connection.call('CLIENT', 'ID'))
    connection.close()
    return id
  }

  /** Gives a connection the name under which it appears. */
  name(connection: FuzzConnection, name: string): void {
    this.names.set(String(connection.port), name)
  }

  /**
   * Once it returns, everything sent before has run, and what it said has arrived. Returns the names of the clients
   * that wait: blocked or paused.
   */
  async settle(): Promise<Set<string>> {
    // Each is run in a later turn of the event loop than the one before, after the output of that turn was sent;
    // ours may leave the rest of a client's input to the turn that follows.
    for (let turnsLeft = 2; turnsLeft > 0; turnsLeft--) await this.control.call('PING')
    const rows = this.clientRows(String(await this.control.call('CLIENT', 'LIST')))
    await nextTurn()
    return new Set(rows.filter(row => /^flags=.*b/.test(row[2])).map(([name]) => name))
  }

  /** What was said since the last look, without asking the server anything. */
  heard(): Map<string, Row[]> {
    const { monitor, events, replica } = this
    return new Map([
      ['replica stream', replica.taken()],
      ['append-only file', this.appended()],
      ['keyspace events', events.taken().map(messageRow)],
      ['MONITOR', monitor.taken().flatMap(line => this.monitorRow(line))],
    ])
  }

  /** Everything since the last look; `keys`: of which the encoding is asked, in database 0. */
  async look(keys: readonly string[]): Promise<Map<string, Row[]>> {
    const questions = [
      ['INFO', ...FIGURES.sections],
      ['SLOWLOG', 'GET', SLOW_LOG_MAX],
      ['SLOWLOG', 'RESET'],
      ['CLIENT', 'LIST'],
      ...keys.map(key => ['OBJECT', 'ENCODING', key]),
    ]
    const bytes = Buffer.concat(questions.map(words => encodeCommand(words)))
    const replies = await this.control.exchange(bytes, questions.length)
    const [info, slow, , clients, ...encodings] = replies.map(reply => plain(parseReply(reply, 0)))
    await this.control.call('PING')
    await nextTurn()
    const all: Map<string, Row[]> = this.heard()
    all.set('figures', figuresOf(String(info), this.dirtyBefore))
    all.set('slow log', this.slowRows(slow))
    all.set('clients', this.clientRows(String(clients)))
    const rows = encodings.map((encoding, i) => [keys[i], encodingText(encoding)])
    all.set('encodings', rows)
    return all
  }

  private async open(port: number): Promise<void> {
    this.generation = this.server.generation
    this.control = await this.server.connect()
    this.monitor = await this.server.connect()
    this.events = await this.server.connect()
    await this.monitor.call('MONITOR')
    await this.events.call('PSUBSCRIBE', '__key*@*__:*')
    this.replica = await ReplicaLink.open(port)
    while (!String(await this.control.call('INFO', 'replication')).includes('state=online')) await sleep(2)
    this.replica.acknowledge()
    if (this.file >= 0) closeSync(this.file)
    const folder = join(this.server.dir, 'appendonlydir')
    const name = readdirSync(folder).find(one => one.endsWith('.incr.aof'))
    this.file = openSync(join(folder, name!), 'r')
    this.fileRead = 0
    this.fileRows = new CommandRows()
  }

  private async isAlone(): Promise<boolean> {
    const list = String(await this.control.call('CLIENT', 'LIST', 'TYPE', 'normal'))
    const pubsub = String(await this.control.call('CLIENT', 'LIST', 'TYPE', 'pubsub'))
    const lines = (text: string) => text.split('\n').filter(line => line !== '')
    // The monitor counts as a replica for LIST TYPE in some versions, as normal in others.
    const others = [...lines(list), ...lines(pubsub)].filter(line => this.nameIn(line) === undefined)
    return others.length === 0
  }

  private async mustBeOk(...words: string[]): Promise<void> {
    const reply = await this.control.call(...words)
    if (reply !== 'OK') throw new Error(`${words.join(' ')} on ${this.server.label}: ${JSON.stringify(reply)}`)
  }

  private appended(): Row[] {
    const grown = fstatSync(this.file).size - this.fileRead
    if (grown <= 0) return []
    const bytes = Buffer.alloc(grown)
    readSync(this.file, bytes, 0, grown, this.fileRead)
    this.fileRead += grown
    return this.fileRows.taken(bytes)
  }

  /** The name of the client in a line with `addr=`; '' for an observer. */
  private nameIn(line: string): string | undefined {
    return this.names.get(/ addr=[^ ]*:(\d+) /.exec(line)?.[1] ?? '')
  }

  private monitorRow(line: string): Row[] {
    const parts = /^\+[\d.]+ \[(\d+) ([^\]]*)\] (.*)\r\n$/s.exec(line)
    if (!parts) return [[line]]
    const name = this.names.get(/:(\d+)$/.exec(parts[2])?.[1] ?? parts[2]) ?? unnamed(parts[2])
    return name === '' ? [] : [[`db ${parts[1]}`, name, parts[3]]]
  }

  private slowRows(reply: PlainValue): Row[] {
    if (!Array.isArray(reply)) return [[String(reply)]]
    return reply.toReversed().flatMap(entry => {
      const [, , , words, address, name] = entry as [number, number, number, string[], string, string]
      const client = this.names.get(/:(\d+)$/.exec(address)?.[1] ?? address) ?? unnamed(address)
      return client === '' ? [] : [[client, name, ...words.map(String)]]
    })
  }

  private clientRows(list: string): Row[] {
    const rows = list.split('\n').flatMap(line => {
      const name = this.nameIn(line)
      if (!name) return []
      const fields = new Map(line.split(' ').map(field => field.split(/=(.*)/s) as [string, string]))
      return [[name, ...CLIENT_FIELDS.map(field => `${field}=${fields.get(field)}`)]]
    })
    // Redis rotates its list.
    return rows.sort(([a], [b]) => (a < b ? -1 : 1))
  }
}

/** A message of a subscriber, or another frame as it is. */
export function messageRow(frame: string): Row {
  const value = plain(parseReply(Buffer.from(frame, 'latin1'), 0))
  return Array.isArray(value) ? value.map(one => (Array.isArray(one) ? one.join(' ') : String(one))) : [frame]
}

/** A client that has no name is the fuzzer's own; others are shown as they are: lua. */
function unnamed(address: string): string {
  return address.includes(':') ? '' : address
}

function encodingText(value: PlainValue): string {
  return value !== null && typeof value === 'object' && 'message' in value ? value.message : String(value)
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
