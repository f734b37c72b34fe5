// The periods and time-outs of a sentinel, in milliseconds. SENTINEL DEBUG shows and changes them.

export class Timing {
  /** INFO to primaries and replicas; each second while a failover may need it. */
  infoMs = 10_000
  pingMs = 1000
  /** SENTINEL IS-MASTER-DOWN-BY-ADDR to the other sentinels. */
  askMs = 1000
  /** Hello messages. */
  helloMs = 2000
  defaultDownAfterMs = 30_000
  defaultFailoverTimeoutMs = 180_000
  /** A longer gap between two ticks means that this process was stopped. */
  tiltTriggerMs = 2000
  tiltMs = 30_000
  /** After which a replica that does not follow its new primary is given up. */
  reconfigureMs = 10_000
  /** Age of a connection before it may be replaced for being silent. */
  reconnectMs = 15_000
  electionMs = 10_000
  scriptMs = 60_000
  scriptRetryMs = 30_000
}

/** SENTINEL DEBUG's names, in its order. */
export const TIMING_NAMES: readonly (readonly [name: string, field: keyof Timing])[] = [
  ['INFO-PERIOD', 'infoMs'],
  ['PING-PERIOD', 'pingMs'],
  ['ASK-PERIOD', 'askMs'],
  ['PUBLISH-PERIOD', 'helloMs'],
  ['DEFAULT-DOWN-AFTER', 'defaultDownAfterMs'],
  ['DEFAULT-FAILOVER-TIMEOUT', 'defaultFailoverTimeoutMs'],
  ['TILT-TRIGGER', 'tiltTriggerMs'],
  ['TILT-PERIOD', 'tiltMs'],
  ['SLAVE-RECONF-TIMEOUT', 'reconfigureMs'],
  ['MIN-LINK-RECONNECT-PERIOD', 'reconnectMs'],
  ['ELECTION-TIMEOUT', 'electionMs'],
  ['SCRIPT-MAX-RUNTIME', 'scriptMs'],
  ['SCRIPT-RETRY-DELAY', 'scriptRetryMs'],
]

/** A failover starts up to so much later, so that sentinels do not all ask for votes at once. */
export const DESYNC_MS_MAX = 1000
/** Commands of one instance that may await replies; no periodic ones are added beyond. */
export const PENDING_COMMANDS_MAX = 100
