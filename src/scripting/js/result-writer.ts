// Writes the result of a JavaScript function, which comes as RESP3, to a client of either protocol.

import { Slice } from '../../lib/slice.ts'
import type { Reply } from '../../protocol/reply.ts'

/** `text`: one value, one char a byte. What is no RESP3, since a library has changed what all use, is an error. */
export function writeResult(reply: Reply, text: string): void {
  const from = reply.pos
  const { errors } = reply
  try {
    write(reply, text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    reply.rollBack(from, errors)
    reply.error('ERR the result of the function cannot be read')
  }
}

function write(reply: Reply, text: string): void {
  let at = 0
  // Values that are still to come.
  for (let left = 1; left > 0; left--) {
    const end = text.indexOf('\r\n', at)
    if (end < 0) throw new SyntaxError('the text has ended')
    const head = text.slice(at + 1, end)
    const type = text[at]
    at = end + 2
    if (type === '$') {
      const length = Number(head)
      reply.bulk(Slice.of(text.slice(at, at + length)))
      at += length + 2
    } else if (type === '*') {
      reply.array(Number(head))
      left += Number(head)
    } else if (type === '~') {
      reply.set(Number(head))
      left += Number(head)
    } else if (type === '%') {
      reply.map(Number(head))
      left += 2 * Number(head)
    } else if (type === ':') reply.bigint(BigInt(head))
    else if (type === ',') reply.double(Number(head))
    else if (type === '#') reply.boolean(head === 't')
    else if (type === '+') reply.simple(head)
    else if (type === '-') reply.error(head)
    else reply.null()
  }
}
