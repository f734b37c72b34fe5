// Limits for values that are built again in the encoding that they had.
//
// Always: the limits that say how large a node is are the server's at that moment.

import type { EncodingLimits } from '../keyspace/value-type.ts'

const UNLIMITED = 0x7fffffff

/** The server's limits, but every hash, set and sorted set is compact, or none is. */
export function limitsFor(server: EncodingLimits, compact: boolean): EncodingLimits {
  const most = compact ? UNLIMITED : 0
  return {
    hashMaxListpackEntries: most,
    hashMaxListpackValue: most,
    setMaxIntsetEntries: most,
    setMaxListpackEntries: most,
    setMaxListpackValue: most,
    zsetMaxListpackEntries: most,
    zsetMaxListpackValue: most,
    get listMaxListpackSize() {
      return server.listMaxListpackSize
    },
    get listCompressDepth() {
      return server.listCompressDepth
    },
    get streamNodeMaxBytes() {
      return server.streamNodeMaxBytes
    },
    get streamNodeMaxEntries() {
      return server.streamNodeMaxEntries
    },
  }
}
