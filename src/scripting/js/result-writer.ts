// Writes the result of a JavaScript function, which comes as RESP3, to a client of either protocol.

import { Slice } from '../../lib/slice.ts'
import { oneLine } from '../../lib/text.ts'
import type { Reply } from '../../protocol/reply.ts'

/** Of a value with its type and its end. */
const VALUE_CHARS_MIN = 3

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
      const to = at + countOf(head)
      if (to + 2 > text.length) throw new SyntaxError('the text has ended')
      reply.bulk(Slice.of(text.slice(at, to)))
      at = to + 2
    } else if (type === '*' || type === '~' || type === '%') {
      const count = countOf(head)
      left += type === '%' ? 2 * count : count
      // Each value takes three characters at least: no header promises more than there is.
      if ((left - 1) * VALUE_CHARS_MIN > text.length - at) throw new SyntaxError('the text has ended')
      if (type === '*') reply.array(count)
      else if (type === '~') reply.set(count)
      else reply.map(count)
    } else if (type === ':') reply.bigint(BigInt.asIntN(64, BigInt(head)))
    else if (type === ',') reply.double(Number(head))
    else if (type === '#') reply.boolean(head === 't')
    else if (type === '+') reply.simple(oneLine(head))
    else if (type === '-') reply.error(head)
    else reply.null()
  }
}

/** The number of a length or a count. */
function countOf(head: string): number {
  const n = Number(head)
  if (head === '' || !Number.isInteger(n) || n < 0) throw new SyntaxError('no count')
  return n
}
