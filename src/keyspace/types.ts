// Types and encodings: the numbers of the built-in types and of their encodings. Other types have numbers, names and
// encodings of their own (value-type.ts).

export const TYPE_STRING = 0
export const TYPE_LIST = 1
export const TYPE_SET = 2
export const TYPE_ZSET = 3
export const TYPE_HASH = 4
/** Values of modules' types (values/module). */
export const TYPE_MODULE = 5
export const TYPE_STREAM = 6

export const ENC_RAW = 0
export const ENC_INT = 1
export const ENC_HASHTABLE = 2
export const ENC_INTSET = 3
export const ENC_LISTPACK = 4
export const ENC_QUICKLIST = 5
export const ENC_SKIPLIST = 6
export const ENC_STREAM = 7
export const ENC_EMBSTR = 8

/** As OBJECT ENCODING prints them, by encoding. */
const ENCODING_NAMES = [
  'raw',
  'int',
  'hashtable',
  'intset',
  'listpack',
  'quicklist',
  'skiplist',
  'stream',
  'embstr',
] as const

/** The names of these encodings, by encoding: for a ValueType. */
export function encodingNames(...encodings: readonly number[]): readonly (string | undefined)[] {
  const names: (string | undefined)[] = new Array(Math.max(...encodings) + 1).fill(undefined)
  for (const encoding of encodings) names[encoding] = ENCODING_NAMES[encoding]
  return names
}
