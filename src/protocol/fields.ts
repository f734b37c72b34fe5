// A map reply of named texts and integers.

import type { Reply } from './reply.ts'

export type Field = readonly [name: string, value: string | number]

export function replyFields(reply: Reply, fields: readonly Field[]): void {
  reply.map(fields.length)
  for (const [name, value] of fields) {
    reply.bulkText(name)
    if (typeof value === 'number') reply.integer(value)
    else reply.bulkText(value)
  }
}
