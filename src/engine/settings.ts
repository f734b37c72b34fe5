// Settings: the configuration that the core reads while it works, as plain typed fields. The server's configuration
// writes them (a directive 'proto-max-bulk-len' is the field protoMaxBulkLen); the core only reads.

export interface OutputLimit {
  hardBytes: number
  softBytes: number
  softSeconds: number
}

export class Settings {
  databases = 16
  requirepass = ''
  maxclients = 10000
  /** Seconds; 0: never. */
  timeout = 0
  protoMaxBulkLen = 512 * 1024 * 1024
  clientQueryBufferLimit = 1024 * 1024 * 1024
  clientOutputBufferLimit: { normal: OutputLimit; replica: OutputLimit; pubsub: OutputLimit } = {
    normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
    replica: { hardBytes: 256 << 20, softBytes: 64 << 20, softSeconds: 60 },
    pubsub: { hardBytes: 32 << 20, softBytes: 8 << 20, softSeconds: 60 },
  }
  maxmemory = 0
  maxmemoryPolicy = 'noeviction'
  maxmemorySamples = 5
  lfuLogFactor = 10
  lfuDecayTime = 1
  hz = 10
  activeExpireEffort = 1
  lazyfreeLazyExpire = false
  lazyfreeLazyServerDel = false
  lazyfreeLazyUserDel = false
  lazyfreeLazyUserFlush = false
  lazyfreeLazyEviction = false
  hashMaxListpackEntries = 128
  hashMaxListpackValue = 64
  setMaxIntsetEntries = 512
  setMaxListpackEntries = 128
  setMaxListpackValue = 64
  zsetMaxListpackEntries = 128
  zsetMaxListpackValue = 64
  listMaxListpackSize = -2
  listCompressDepth = 0
  hllSparseMaxBytes = 3000
  streamNodeMaxBytes = 4096
  streamNodeMaxEntries = 100
  /** NOTIFY_ bits of events.ts. */
  notifyKeyspaceEvents = 0
  /** Microseconds; negative: off. */
  slowlogLogSlowerThan = 10000
  slowlogMaxLen = 128
  /** Milliseconds; 0: off. */
  latencyMonitorThreshold = 0
  latencyTracking = true
  maxmemoryEvictionTenacity = 10
  /** Bytes; negative: percent of maxmemory; 0: no limit. */
  maxmemoryClients = 0
  trackingTableMaxKeys = 1000000
  busyReplyThreshold = 5000
  enableDebugCommand = 'no'
  enableModuleCommand = 'no'
  aclfile = ''
  acllogMaxLen = 128
  enableProtectedConfigs = 'no'
  protectedMode = true
  sanitizeDumpPayload = 'no'
}
