// Stats: what INFO counts about one server.

export class Stats {
  connectionsReceived = 0
  commandsProcessed = 0
  rejectedConnections = 0
  netInputBytes = 0
  netOutputBytes = 0
  netReplOutputBytes = 0
  syncFull = 0
  syncPartialOk = 0
  syncPartialErr = 0
  protocolErrors = 0
  errorReplies = 0
  /** Exceptions that were answered with an error. */
  unexpectedErrors = 0
  evictedKeys = 0
  evictedClients = 0
  /** Time spent above maxmemory. */
  evictionExceededUs = 0
  /** Keys that compaction has moved, and looked at in vain. */
  defragHits = 0
  defragMisses = 0
  defragUs = 0
  /** Times that bytes came, and were sent. */
  reads = 0
  writes = 0
  clientQueryBufferLimitDisconnections = 0
  clientOutputBufferLimitDisconnections = 0
  expiredTimeCapReached = 0
  aclDeniedAuth = 0
  aclDeniedCmd = 0
  /** Calls per error code ('ERR', 'WRONGTYPE' …). */
  readonly errors = new Map<string, number>()
  peakMemoryBytes = 0

  /** Turns of the event loop that had replies to send. */
  turns = 0
  commandsPerTurnMax = 0
  private commandsBefore = 0

  noteTurn(): void {
    this.turns++
    const commands = this.commandsProcessed - this.commandsBefore
    if (commands > this.commandsPerTurnMax) this.commandsPerTurnMax = commands
    this.commandsBefore = this.commandsProcessed
  }

  /** Figures that other rooms keep go back to zero as well. */
  onReset: (() => void) | undefined

  reset(): void {
    this.onReset?.()
    const fresh = new Stats()
    const { errors, onReset, ...numbers } = fresh
    Object.assign(this, numbers)
    this.errors.clear()
  }
}
