// The commands of a replication stream or append-only file, as rows of words.
//
// Always: a row begins with the database that its command runs in; SELECT is no row.

import { latin1Text, parseReply, plain, replyEnd } from '../harness/resp.ts'
import type { Row } from './observer.ts'

export class CommandRows {
  private rest = Buffer.alloc(0)
  private db = 'db 0'

  /** The commands that are whole with these bytes. */
  taken(bytes: Uint8Array): Row[] {
    if (bytes.length === 0) return []
    const all = Buffer.concat([this.rest, bytes])
    const rows: Row[] = []
    let at = 0
    for (let end = replyEnd(all, 0, all.length); end >= 0; end = replyEnd(all, at, all.length)) {
      const value = plain(parseReply(all, at))
      const words = Array.isArray(value) ? value.map(String) : [latin1Text(all, at, end)]
      if (words[0].toUpperCase() === 'SELECT') this.db = `db ${words[1]}`
      else rows.push([this.db, ...words])
      at = end
    }
    this.rest = Buffer.from(all.subarray(at))
    return rows
  }
}
