// The RDB format: the constants of files and DUMP payloads.
//
//   file      REDIS0011 | aux … functions … ( SELECTDB db | RESIZEDB keys expires | key … )… | EOF | checksum 8
//   key       [ EXPIRETIME_MS i64 ] [ IDLE length, or FREQ u8 ] | type u8 | key string | value
//   payload   type u8 | value | version u16 | checksum 8                                    (DUMP, RESTORE)
//
//   length    00xxxxxx | 01xxxxxx xxxxxxxx | 10000000 u32 BE | 10000001 u64 BE | 11kkkkkk: an encoded string follows
//   string    length bytes | 11000000 i8 | 11000001 i16 | 11000010 i32 | 11000011 packed length, length, LZF bytes
//
// Always: numbers outside of lengths are little-endian. Files are written as version 11, that of Redis 7.2.

export const RDB_VERSION_WRITTEN = 11
/** The newest version that can be read. */
export const RDB_VERSION_MAX = 11

export const RDB_STRING = 0
export const RDB_LIST = 1
export const RDB_SET = 2
/** Scores as text. */
export const RDB_ZSET = 3
export const RDB_HASH = 4
/** Scores as binary doubles. */
export const RDB_ZSET_2 = 5
export const RDB_MODULE = 6
export const RDB_MODULE_2 = 7
export const RDB_HASH_ZIPMAP = 9
export const RDB_LIST_ZIPLIST = 10
export const RDB_SET_INTSET = 11
export const RDB_ZSET_ZIPLIST = 12
export const RDB_HASH_ZIPLIST = 13
/** Nodes are ziplists. */
export const RDB_LIST_QUICKLIST = 14
export const RDB_STREAM_LISTPACKS = 15
export const RDB_HASH_LISTPACK = 16
export const RDB_ZSET_LISTPACK = 17
/** Nodes are listpacks, or single elements. */
export const RDB_LIST_QUICKLIST_2 = 18
/** With the first id, the largest deleted id, and counts of entries. */
export const RDB_STREAM_LISTPACKS_2 = 19
export const RDB_SET_LISTPACK = 20
/** With the active time of consumers. */
export const RDB_STREAM_LISTPACKS_3 = 21

/** Only in bases of the append-only log: where the value is in the value log (persistence/checkpoint.ts). */
export const RDB_PLACE = 240
/** Only in deltas over such a base: a key that is not what the files before this one say. */
export const RDB_GONE = 241

/** Numbers of key types are below the opcodes. */
export const RDB_TYPE_MAX = 244

export const OP_FUNCTION2 = 245
/** Functions as the release candidates of Redis 7.0 wrote them. */
export const OP_FUNCTION_PRE_GA = 246
export const OP_MODULE_AUX = 247
export const OP_IDLE = 248
export const OP_FREQ = 249
export const OP_AUX = 250
export const OP_RESIZEDB = 251
export const OP_EXPIRETIME_MS = 252
export const OP_EXPIRETIME = 253
export const OP_SELECTDB = 254
export const OP_EOF = 255

export const LENGTH_14 = 0x40
export const LENGTH_32 = 0x80
export const LENGTH_64 = 0x81
export const STRING_INT8 = 0xc0
export const STRING_INT16 = 0xc1
export const STRING_INT32 = 0xc2
export const STRING_LZF = 0xc3

/** Container of a node of RDB_LIST_QUICKLIST_2. */
export const NODE_PLAIN = 1
export const NODE_PACKED = 2

export const MODULE_EOF = 0
export const MODULE_SINT = 1
export const MODULE_UINT = 2
export const MODULE_FLOAT = 3
export const MODULE_DOUBLE = 4
export const MODULE_STRING = 5
/** When data of a module that belongs to no key was written: before or after the keys. */
export const MODULE_BEFORE = 1
export const MODULE_AFTER = 2

export const MAGIC = 'REDIS'
/** Magic and four digits of version. */
export const HEADER_BYTES = 9
export const CHECKSUM_BYTES = 8
/** What a DUMP payload ends with: version and checksum. */
export const FOOTER_BYTES: number = 2 + CHECKSUM_BYTES
