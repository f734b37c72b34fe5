// DEBUG PROTOCOL: one reply of each type, for tests of clients.

import type { Context } from '../../../engine/context.ts'
import { errorBytes, type Reply } from '../../../protocol/reply.ts'

const WRONG_NAME = errorBytes(
  'ERR Wrong protocol type name. Please use one of the following: ' +
    'string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false',
)
const NOT_IN_RESP2 = errorBytes('ERR RESP2 is not supported by this command')

const EXAMPLES: ReadonlyMap<string, (reply: Reply) => void> = new Map(
  Object.entries<(reply: Reply) => void>({
    string: reply => reply.bulkText('Hello World'),
    integer: reply => reply.integer(12345),
    // biome-ignore lint/suspicious/noApproximativeNumericConstant: Redis's reply
    double: reply => reply.double(3.141),
    bignum: reply => reply.bigNumber('1234567999999999999999999999999999999'),
    null: reply => reply.null(),
    array(reply) {
      reply.array(3)
      for (let i = 0; i < 3; i++) reply.integer(i)
    },
    set(reply) {
      reply.set(3)
      for (let i = 0; i < 3; i++) reply.integer(i)
    },
    map(reply) {
      reply.map(3)
      for (let i = 0; i < 3; i++) {
        reply.integer(i)
        reply.boolean(i === 1)
      }
    },
    attrib(reply) {
      if (reply.resp === 3) {
        reply.attribute(1)
        reply.bulkText('key-popularity')
        reply.array(2)
        reply.bulkText('key:123')
        reply.integer(90)
      }
      reply.bulkText('Some real reply following the attribute')
    },
    push(reply) {
      if (reply.resp === 2) return reply.fixedError(NOT_IN_RESP2)
      // A push is sent after the reply of its command.
      reply.bulkText('Some real reply following the push reply')
      reply.push(2)
      reply.bulkText('server-cpu-usage')
      reply.integer(42)
    },
    true: reply => reply.boolean(true),
    false: reply => reply.boolean(false),
    verbatim: reply => reply.verbatim('txt', 'This is a verbatim\nstring'),
  }),
)

export function replyExample(ctx: Context): void {
  const example = EXAMPLES.get(ctx.args[2].latin1().toLowerCase())
  if (example === undefined) ctx.reply.fixedError(WRONG_NAME)
  else example(ctx.reply)
}
