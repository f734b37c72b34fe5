// Types and encodings: what a key can hold and how, with Redis's names for both.

export const TYPE_STRING = 0
export const TYPE_LIST = 1
export const TYPE_SET = 2
export const TYPE_ZSET = 3
export const TYPE_HASH = 4
export const TYPE_MODULE = 5
export const TYPE_STREAM = 6

/** As TYPE prints them, by type. */
export const TYPE_NAMES = ['string', 'list', 'set', 'zset', 'hash', 'module', 'stream'] as const

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
export const ENCODING_NAMES = [
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
