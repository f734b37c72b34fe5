// Client: one connection's state in the engine.
//
//   bytes in ─▶ query (only what did not make a whole command yet) ─▶ commands ─▶ out (only what the socket
//   did not take at once) ─▶ bytes out
//
// Always: `query` holds a part of a command, or whole commands while the client is blocked, paused or waits for its
// next budget, and `partial` what comes before it; `out` is empty unless the socket is full.

import type { Database } from '../keyspace/database.ts'
import type { Slice } from '../lib/slice.ts'
import type { Connection } from '../system/network.ts'
import type { User } from './acl/user.ts'
import type { TableEntry } from './catalog/table.ts'
import type { CommandQueue } from './command-queue.ts'
import type { Broadcast } from './messaging/broadcast.ts'
import type { PartialCommand } from './partial.ts'

// Bits of Client.flags.
export const CLIENT_CLOSING = 1 << 0
/** Close once everything written so far is sent. */
export const CLIENT_CLOSE_AFTER_REPLY = 1 << 1
export const CLIENT_MULTI = 1 << 2
/** A watched key has changed: EXEC answers nil. */
export const CLIENT_DIRTY_CAS = 1 << 3
/** A command could not be queued: EXEC refuses. */
export const CLIENT_DIRTY_EXEC = 1 << 4
export const CLIENT_BLOCKED = 1 << 5
export const CLIENT_REPLY_OFF = 1 << 6
/** CLIENT REPLY SKIP: the next command gets no reply. */
export const CLIENT_REPLY_SKIP_NEXT = 1 << 7
export const CLIENT_REPLY_SKIP = 1 << 8
export const CLIENT_NO_EVICT = 1 << 9
export const CLIENT_NO_TOUCH = 1 << 10
export const CLIENT_MONITOR = 1 << 11
export const CLIENT_PUBSUB = 1 << 12
export const CLIENT_TRACKING = 1 << 13
export const CLIENT_UNIX_SOCKET = 1 << 14
/** Its next command is postponed (waiting/postponed.ts) and will be parsed again. */
export const CLIENT_POSTPONED = 1 << 15
/** A primary, a replica of ours, the script client, the append-only file: not a user's socket. */
export const CLIENT_MASTER = 1 << 16
export const CLIENT_REPLICA = 1 << 17
export const CLIENT_INTERNAL = 1 << 18
export const CLIENT_WRITE_PENDING = 1 << 19
export const CLIENT_READONLY = 1 << 20
export const CLIENT_ASKING = 1 << 21
export const CLIENT_IN_EXEC = 1 << 22
export const CLIENT_SCRIPT = 1 << 23
/** Part of its replies is in the shared reply buffer until the end of the event loop's turn. */
export const CLIENT_PENDING_REPLY = 1 << 24
/** Its user may not do everything: commands pass the gate 'acl'. */
export const CLIENT_RESTRICTED = 1 << 25
/** Its budget has ended before its input: it continues in a later turn, and its socket is not read until then. */
export const CLIENT_INPUT_QUEUED = 1 << 26
/** SCRIPT DEBUG: its next EVAL runs in a debugger; with SYNC on the dataset itself. */
export const CLIENT_LUA_DEBUG = 1 << 27
export const CLIENT_LUA_DEBUG_SYNC = 1 << 28
/** It waits, or did so, for values on disk: its socket is not read until its input is used up (storage/faults.ts). */
export const CLIENT_UNREAD = 1 << 29

/** A command with copied arguments: blocked, suspended in a script, or of a transaction in the append-only file. */
export interface QueuedCommand {
  entry: TableEntry
  args: Slice[]
  bytes: number
  /** For SLOWLOG, when `args` are not what the client sent. */
  shown?: Slice[]
}

/** Why a client is blocked and what unblocks it. */
export interface BlockState {
  /** Milliseconds on the monotonic clock; 0: no time-out. */
  deadlineMs: number
  /** 'keys': waits for data; 'other': for replicas, fsync, a script, a migration. */
  kind: 'keys' | 'wait' | 'other'
  /** Keys waited for, latin1, in order. */
  keys: string[]
  database: Database
  /** Value type (TYPE_) that unblocks the client; -1: any. */
  type: number
  /** Also unblocked when one of its keys is removed (XREADGROUP). */
  unblockOnNokey: boolean
  /** The command to run again. */
  command: QueuedCommand
  /** Time that its executions have taken so far. */
  usedUs: number
  timeoutReply: 'null' | 'nullArray'
  /** Called instead of writing timeoutReply. */
  onTimeout?: (client: Client) => void
  /** Called when bytes have come, which are not parsed. */
  onInput?: () => void
  /** False: CLIENT UNBLOCK does not apply (SHUTDOWN). */
  unblockable?: boolean
}

/** Replies to a client's commands are dropped, messages are not. */
export const REPLY_MUTED = CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP

/** A command has ended: CLIENT REPLY SKIP is over, or begins. */
export function endOfSkip(client: Client): void {
  client.flags &= ~CLIENT_REPLY_SKIP
  if (client.has(CLIENT_REPLY_SKIP_NEXT)) client.flags = (client.flags & ~CLIENT_REPLY_SKIP_NEXT) | CLIENT_REPLY_SKIP
}

/** Reply buffer size shown for a new client, and the largest one. */
export const REPLY_SHARE_BYTES = 16 * 1024

export class Client {
  readonly id: number
  readonly connection: Connection
  flags = 0
  resp = 2
  db: Database
  name = ''
  libName = ''
  libVersion = ''
  authenticated = false
  /** Undefined: may do everything (a primary, the append-only file). */
  user: User | undefined
  readonly createdMs: number
  /** Wall-clock milliseconds of the last command or byte. */
  lastActiveMs: number
  /** The last command, for CLIENT LIST. */
  lastCommand: TableEntry | undefined

  // Input that is not a whole command yet.
  query: Uint8Array | undefined
  queryView: DataView | undefined
  queryStart = 0
  queryEnd = 0
  queryPeak = 0
  /** The arguments of a long command that were taken out of `query`; the rest of it is in `query`. */
  partial: PartialCommand | undefined

  // Output that the socket did not take.
  readonly out: Uint8Array[] = []
  /** Bytes of out[0] that are sent. */
  outSent = 0
  outBytes = 0
  /** Shared bytes that follow `out`. */
  sharedReply: Broadcast | undefined
  sharedReplyFrom = 0
  sharedReplyEnd = 0
  /** Wall-clock milliseconds since when the soft output limit is exceeded; 0: it is not. */
  softLimitSinceMs = 0
  bytesIn = 0
  bytesOut = 0
  /** This client's last contribution to the memory statistics, output buffer aside. */
  restBytes = 0
  /** The longest reply since replyPeakMs (wall clock), for CLIENT LIST. */
  replyPeak = 0
  replyPeakMs = 0
  /** Reply buffer size shown for it (server/clients-cron.ts). */
  replyShare = REPLY_SHARE_BYTES
  commands = 0
  /** Append-only log offset after the client's last write, in bytes ever appended. */
  logOffset = 0
  /** Replication offset after the client's last write. */
  streamOffset = 0

  // Transactions.
  queued: CommandQueue | undefined
  /** Watched keys as database index and latin1 key; undefined: none. */
  watched: WatchedKey[] | undefined

  blocked: BlockState | undefined
  // State of other parts for this client.
  channels: Set<string> | undefined
  patterns: Set<string> | undefined
  shardChannels: Set<string> | undefined
  tracking: unknown

  constructor(id: number, connection: Connection, db: Database, nowMs: number) {
    this.id = id
    this.connection = connection
    this.db = db
    this.createdMs = nowMs
    this.lastActiveMs = nowMs
    if (connection.kind === 'unix') this.flags |= CLIENT_UNIX_SOCKET
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0
  }

  /** Unparsed bytes. */
  get queryBytes(): number {
    return this.queryEnd - this.queryStart
  }

  /** What client-query-buffer-limit counts: bytes that are no whole argument yet, and unparsed commands. */
  get inputBytes(): number {
    return this.queryEnd - this.queryStart + (this.partial === undefined ? 0 : this.partial.bulkBytes)
  }
}

interface WatchedKey {
  database: number
  key: string
  /** The key existed when the client began to watch it. */
  existed: boolean
}
