// The codecs of the built-in types.

import { hashCodec } from './hash.ts'
import { listCodec } from './list.ts'
import { moduleCodec } from './module.ts'
import { setCodec } from './set.ts'
import { streamCodec } from './stream/index.ts'
import { stringCodec } from './string.ts'
import type { ValueCodec } from './value-codec.ts'
import { zsetCodec } from './zset.ts'

export const builtInCodecs: readonly ValueCodec[] = [
  stringCodec,
  listCodec,
  setCodec,
  zsetCodec,
  hashCodec,
  streamCodec,
  moduleCodec,
]
