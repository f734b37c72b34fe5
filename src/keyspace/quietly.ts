// quietly: a change of the dataset that is none of its keys' own, such as the reading of an RDB file.
//
// Always: while it lasts nobody is told of keys, and none expires; afterwards both are as before.

import type { Keyspace, KeyspaceEvents } from './keyspace.ts'

const NO_EVENTS: KeyspaceEvents = { expired() {}, created() {}, removed() {}, ownExpiry() {}, valueSaved() {} }

export function quietly<Result>(space: Keyspace, work: () => Result): Result {
  const { events, expiryPaused } = space
  space.events = NO_EVENTS
  space.expiryPaused = true
  try {
    return work()
  } finally {
    space.events = events
    space.expiryPaused = expiryPaused
  }
}
