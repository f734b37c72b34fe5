// Replies with elements of collections.

import type { Element } from '../../memory/element.ts'
import type { Reply } from '../../protocol/reply.ts'

/** A bulk string. */
export function replyElement(reply: Reply, e: Element): void {
  if (e.isInteger) reply.bulkInteger(e.n)
  else reply.bulk(e.bytes)
}
