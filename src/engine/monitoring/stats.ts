// Stats: the counters of the engine. Other parts own theirs.

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
