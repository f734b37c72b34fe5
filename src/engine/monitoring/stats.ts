// Stats: the counters of the engine. Other parts own theirs.

/** As in Redis 7.4, where the codes beyond count under this name; 7.2 has no limit. */
const ERROR_CODES_MAX = 128
const OTHER_ERRORS = 'ERRORSTATS_OVERFLOW'

export class Stats {
  connectionsReceived = 0
  commandsProcessed = 0
  rejectedConnections = 0
  netInputBytes = 0
  netOutputBytes = 0
  protocolErrors = 0
  errorReplies = 0
  /** Of errorReplies, those to replicas and to commands of the append-only file. */
  unexpectedErrorReplies = 0
  /** Exceptions that were replied to as internal errors. */
  unexpectedErrors = 0
  /** Number of reads and writes on sockets. */
  reads = 0
  writes = 0
  /** Clients closed for maxmemory-clients. */
  evictedClients = 0
  clientQueryBufferLimitDisconnections = 0
  clientOutputBufferLimitDisconnections = 0
  /** Calls per error code ('ERR', 'WRONGTYPE' …). */
  readonly errors = new Map<string, number>()

  /** Counts an error. Beyond ERROR_CODES_MAX codes, which scripts can make up, new ones count together. */
  countError(code: string): void {
    const count = this.errors.get(code)
    if (count !== undefined) this.errors.set(code, count + 1)
    else if (this.errors.size < ERROR_CODES_MAX) this.errors.set(code, 1)
    else this.errors.set(OTHER_ERRORS, (this.errors.get(OTHER_ERRORS) ?? 0) + 1)
  }

  /** Turns of the event loop with replies to send. */
  turns = 0
  commandsPerTurnMax = 0
  private commandsBefore = 0

  countTurn(): void {
    this.turns++
    const commands = this.commandsProcessed - this.commandsBefore
    if (commands > this.commandsPerTurnMax) this.commandsPerTurnMax = commands
    this.commandsBefore = this.commandsProcessed
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    const { errors, ...numbers } = new Stats()
    Object.assign(this, numbers)
    this.errors.clear()
  }
}

/** The first word of the error that begins at `at` with its sign; ERR when none ends within ERROR_CODE_BYTES_MAX. */
export function errorCode(u8: Uint8Array, at: number): string {
  for (let end = at + 1; end < at + ERROR_CODE_BYTES_MAX && u8[end] !== LF; end++)
    if (u8[end] === SPACE) return String.fromCharCode(...u8.subarray(at + 1, end))
  return 'ERR'
}

const ERROR_CODE_BYTES_MAX = 32
const LF = 0x0a
const SPACE = 0x20
