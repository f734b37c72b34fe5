// The line of a client in CLIENT LIST, CLIENT INFO and ACL LOG.

import { CR } from '../../lib/ascii.ts'
import { digits } from '../../lib/number.ts'
import type { Slice } from '../../lib/slice.ts'
import { cText } from '../../lib/text.ts'
import {
  CLIENT_BLOCKED,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSING,
  CLIENT_DIRTY_CAS,
  CLIENT_MASTER,
  CLIENT_MONITOR,
  CLIENT_MULTI,
  CLIENT_NO_EVICT,
  CLIENT_NO_TOUCH,
  CLIENT_POSTPONED,
  CLIENT_PUBSUB,
  CLIENT_READONLY,
  CLIENT_REPLICA,
  CLIENT_TRACKING,
  CLIENT_UNIX_SOCKET,
  type Client,
} from '../client.ts'
import { clientMemory, outputMemory, READ_SHARE_BYTES } from '../client-memory.ts'
import type { TrackingState } from '../messaging/tracking.ts'

/** Letters of `flags`, in Redis's order. */
const FLAG_LETTERS: readonly (readonly [flag: number, letter: string])[] = [
  [CLIENT_MASTER, 'M'],
  [CLIENT_PUBSUB, 'P'],
  [CLIENT_MULTI, 'x'],
  [CLIENT_BLOCKED | CLIENT_POSTPONED, 'b'],
  [CLIENT_TRACKING, 't'],
  [CLIENT_DIRTY_CAS, 'd'],
  [CLIENT_CLOSE_AFTER_REPLY, 'c'],
  [CLIENT_CLOSING, 'A'],
  [CLIENT_UNIX_SOCKET, 'U'],
  [CLIENT_READONLY, 'r'],
  [CLIENT_NO_EVICT, 'e'],
  [CLIENT_NO_TOUCH, 'T'],
]

const READ_SHARE_MS = 2000

/** The arguments of the client's running command. */
interface Running {
  readonly args: readonly Slice[]
  readonly argc: number
}

/** Without an end of line. `running`: undefined unless the client's command is running. */
export function clientLine(client: Client, nowMs: number, running: Running | undefined): string {
  const { connection } = client
  // The running command has left the buffer; Redis still counts it.
  const half = halfCommand(client)
  const query = client.inputBytes - half.doneBytes + (running ? requestBytes(running) : 0)
  const share = nowMs - client.lastActiveMs <= READ_SHARE_MS ? READ_SHARE_BYTES : 0
  const room = Math.max((client.query?.length ?? 0) + (client.partial?.bulkCapacity ?? 0), share)
  const fields: (readonly [name: string, value: string | number])[] = [
    ['id', client.id],
    ['addr', connection.peer],
    ['laddr', connection.local],
    ['fd', connection.fd],
    ['name', cText(client.name)],
    ['age', Math.floor(nowMs / 1000) - Math.floor(client.createdMs / 1000)],
    ['idle', Math.floor(nowMs / 1000) - Math.floor(client.lastActiveMs / 1000)],
    ['flags', flagLetters(client)],
    ['db', client.db.index],
    ['sub', client.channels?.size ?? 0],
    ['psub', client.patterns?.size ?? 0],
    ['ssub', client.shardChannels?.size ?? 0],
    ['multi', client.has(CLIENT_MULTI) ? (client.queued?.length ?? 0) : -1],
    ['qbuf', query],
    ['qbuf-free', Math.max(0, room - query)],
    [
      'argv-mem',
      running
        ? lengthOf(running.args, running.argc)
        : waitingBytes(client) + half.argumentBytes + (client.partial?.argumentBytes ?? 0),
    ],
    ['multi-mem', client.queued?.memoryBytes ?? 0],
    ['rbs', client.replyShare],
    ['rbp', Math.min(client.replyPeak, client.replyShare)],
    ['obl', 0],
    ['oll', client.out.length],
    ['omem', outputMemory(client)],
    ['tot-mem', clientMemory(client)],
    ['events', client.outBytes > 0 ? 'rw' : 'r'],
    ['cmd', client.lastCommand?.fullName ?? 'NULL'],
    ['user', client.user?.name ?? '(superuser)'],
    ['redir', (client.tracking as TrackingState | undefined)?.redirect ?? -1],
    ['resp', client.resp],
    ['lib-name', cText(client.libName)],
    ['lib-ver', cText(client.libVersion)],
  ]
  return fields.map(([name, value]) => `${name}=${value}`).join(' ')
}

function flagLetters(client: Client): string {
  let letters = client.has(CLIENT_REPLICA) ? (client.has(CLIENT_MONITOR) ? 'O' : 'S') : ''
  for (const [flag, letter] of FLAG_LETTERS) {
    if (client.has(flag)) letters += letter
    if (letter === 't') letters += trackingLetters(client.tracking as TrackingState | undefined)
  }
  return letters || 'N'
}

/** R: the redirection target has disconnected; B: broadcasting mode. */
function trackingLetters(tracking: TrackingState | undefined): string {
  if (tracking === undefined) return ''
  return (tracking.brokenRedirect ? 'R' : '') + (tracking.bcast ? 'B' : '')
}

function lengthOf(args: readonly Slice[], argc: number): number {
  let bytes = 0
  for (let i = 0; i < argc; i++) bytes += args[i].len
  return bytes
}

/** Argument bytes of the command that a client is blocked in. */
function waitingBytes({ blocked }: Client): number {
  return blocked === undefined ? 0 : lengthOf(blocked.command.args, blocked.command.args.length)
}

const BIG_ARGUMENT_BYTES = 32 * 1024

/**
 * An incomplete command as Redis accounts for it, which has already moved to the argument vector: its complete
 * arguments, and the protocol before a big one.
 */
function halfCommand({ query, queryStart, queryEnd }: Client): { doneBytes: number; argumentBytes: number } {
  let doneBytes = 0
  let argumentBytes = 0
  if (query === undefined || query[queryStart] !== 0x2a) return { doneBytes, argumentBytes }
  const line = (at: number) => {
    const end = query.indexOf(CR, at)
    return end < 0 || end + 2 > queryEnd ? -1 : end
  }
  for (let at = line(queryStart) + 2; at > 1 && at < queryEnd; ) {
    const end = line(at)
    if (end < 0) break
    const length = Number(String.fromCharCode(...query.subarray(at + 1, end)))
    const whole = end + 2 + length + 2 <= queryEnd
    if (!whole && length >= BIG_ARGUMENT_BYTES) doneBytes = end + 2 - queryStart
    if (!whole) break
    argumentBytes += length
    at = end + 2 + length + 2
    doneBytes = at - queryStart
  }
  return { doneBytes, argumentBytes }
}

/** Protocol bytes of the running command. */
function requestBytes({ args, argc }: Running): number {
  let bytes = 3 + digits(argc)
  for (let i = 0; i < argc; i++) bytes += 5 + digits(args[i].len) + args[i].len
  return bytes
}
