// What the commands reply, as the client of a server in a program returns it: replies of RESP3, where maps are
// objects, sets are lists and doubles are numbers. `Text` is a bulk string: a string, or
// bytes if the client was asked for those.
//
// Always: one line for each command that a client can send; a test runs every command and compares its reply.

/** A reply of any command. */
export type Reply<Text = string> =
  | Text
  | string
  | number
  | bigint
  | boolean
  | null
  | Reply<Text>[]
  | { [field: string]: Reply<Text> }

/** An entry of a stream: its id, and its fields and values one after the other. */
export type StreamEntry<Text> = [id: Text, fields: Text[]]

// biome-ignore format: a line for each command
export interface CommandReplies<Text = string> {
  'ACL CAT': Text[]
  'ACL DELUSER': number
  'ACL DRYRUN': Text | 'OK'
  'ACL GENPASS': Text
  'ACL GETUSER': Record<string, Reply<Text>> | null
  'ACL HELP': string[]
  'ACL LIST': Text[]
  'ACL LOAD': 'OK'
  'ACL LOG': Record<string, Reply<Text>>[] | 'OK'
  'ACL SAVE': 'OK'
  'ACL SETUSER': 'OK'
  'ACL USERS': Text[]
  'ACL WHOAMI': Text
  APPEND: number
  ASKING: 'OK'
  AUTH: 'OK'
  BGREWRITEAOF: string
  BGSAVE: string
  BITCOUNT: number
  BITFIELD: (number | null)[]
  BITFIELD_RO: number[]
  BITOP: number
  BITPOS: number
  BLMOVE: Text | null
  BLMPOP: [key: Text, elements: Text[]] | null
  BLPOP: [key: Text, element: Text] | null
  BRPOP: [key: Text, element: Text] | null
  BRPOPLPUSH: Text | null
  BZMPOP: [key: Text, elements: [member: Text, score: number][]] | null
  BZPOPMAX: [key: Text, member: Text, score: number] | null
  BZPOPMIN: [key: Text, member: Text, score: number] | null
  'CLIENT CACHING': 'OK'
  'CLIENT GETNAME': Text | null
  'CLIENT GETREDIR': number
  'CLIENT HELP': string[]
  'CLIENT ID': number
  'CLIENT INFO': Text
  'CLIENT KILL': 'OK' | number
  'CLIENT LIST': Text
  'CLIENT NO-EVICT': 'OK'
  'CLIENT NO-TOUCH': 'OK'
  'CLIENT PAUSE': 'OK'
  'CLIENT REPLY': 'OK'
  'CLIENT SETINFO': 'OK'
  'CLIENT SETNAME': 'OK'
  'CLIENT TRACKING': 'OK'
  'CLIENT TRACKINGINFO': Record<string, Reply<Text>>
  'CLIENT UNBLOCK': number
  'CLIENT UNPAUSE': 'OK'
  'CLUSTER ADDSLOTS': 'OK'
  'CLUSTER ADDSLOTSRANGE': 'OK'
  'CLUSTER BUMPEPOCH': string
  'CLUSTER CANCELSLOTMIGRATIONS': 'OK'
  'CLUSTER COUNT-FAILURE-REPORTS': number
  'CLUSTER COUNTKEYSINSLOT': number
  'CLUSTER DELSLOTS': 'OK'
  'CLUSTER DELSLOTSRANGE': 'OK'
  'CLUSTER FAILOVER': 'OK'
  'CLUSTER FLUSHSLOTS': 'OK'
  'CLUSTER FORGET': 'OK'
  'CLUSTER GETKEYSINSLOT': Text[]
  'CLUSTER GETSLOTMIGRATIONS': Reply<Text>
  'CLUSTER HELP': string[]
  'CLUSTER INFO': Text
  'CLUSTER KEYSLOT': number
  'CLUSTER LINKS': Record<string, Reply<Text>>[]
  'CLUSTER MEET': 'OK'
  'CLUSTER MIGRATESLOTS': Reply<Text>
  'CLUSTER MIGRATION': Reply<Text>
  'CLUSTER MYID': Text
  'CLUSTER MYSHARDID': Text
  'CLUSTER NODES': Text
  'CLUSTER REPLICAS': Text[]
  'CLUSTER REPLICATE': 'OK'
  'CLUSTER RESET': 'OK'
  'CLUSTER SAVECONFIG': 'OK'
  'CLUSTER SET-CONFIG-EPOCH': 'OK'
  'CLUSTER SETSLOT': 'OK'
  'CLUSTER SHARDS': Record<string, Reply<Text>>[]
  'CLUSTER SLAVES': Text[]
  'CLUSTER SLOT-STATS': Reply<Text>
  'CLUSTER SLOTS': Reply<Text>[][]
  'CLUSTER SYNCSLOTS': Reply<Text>
  CLUSTERSCAN: [cursor: Text, keys: Text[]]
  COMMAND: Reply<Text>[]
  'COMMAND COUNT': number
  'COMMAND DOCS': Record<string, Reply<Text>>
  'COMMAND GETKEYS': Text[]
  'COMMAND GETKEYSANDFLAGS': [key: Text, flags: string[]][]
  'COMMAND HELP': string[]
  'COMMAND INFO': (Reply<Text>[] | null)[]
  'COMMAND LIST': Text[]
  'CONFIG GET': Record<string, Text>
  'CONFIG HELP': string[]
  'CONFIG RESETSTAT': 'OK'
  'CONFIG REWRITE': 'OK'
  'CONFIG SET': 'OK'
  COPY: number
  DBSIZE: number
  DEBUG: Reply<Text>
  DECR: number
  DECRBY: number
  DEL: number
  DUMP: Text | null
  ECHO: Text
  EVAL: Reply<Text>
  EVALSHA: Reply<Text>
  EVALSHA_RO: Reply<Text>
  EVAL_RO: Reply<Text>
  EXISTS: number
  EXPIRE: number
  EXPIREAT: number
  EXPIRETIME: number
  FAILOVER: 'OK'
  FCALL: Reply<Text>
  FCALL_RO: Reply<Text>
  FLUSHALL: 'OK'
  FLUSHDB: 'OK'
  'FUNCTION DELETE': 'OK'
  'FUNCTION DUMP': Text
  'FUNCTION FLUSH': 'OK'
  'FUNCTION HELP': string[]
  'FUNCTION KILL': 'OK'
  'FUNCTION LIST': Record<string, Reply<Text>>[]
  'FUNCTION LOAD': Text
  'FUNCTION RESTORE': 'OK'
  'FUNCTION STATS': Record<string, Reply<Text>>
  GEOADD: number
  GEODIST: Text | null
  GEOHASH: (Text | null)[]
  GEOPOS: ([longitude: number, latitude: number] | null)[]
  GEORADIUS: Reply<Text>[] | number
  GEORADIUSBYMEMBER: Reply<Text>[] | number
  GEORADIUSBYMEMBER_RO: Reply<Text>[]
  GEORADIUS_RO: Reply<Text>[]
  GEOSEARCH: Reply<Text>[]
  GEOSEARCHSTORE: number
  GET: Text | null
  GETBIT: number
  GETDEL: Text | null
  GETEX: Text | null
  GETRANGE: Text
  GETSET: Text | null
  HDEL: number
  HEXISTS: number
  HGET: Text | null
  HGETALL: Record<string, Text>
  HINCRBY: number
  HINCRBYFLOAT: Text
  HKEYS: Text[]
  HLEN: number
  HMGET: (Text | null)[]
  HMSET: 'OK'
  HRANDFIELD: Text | Text[] | [field: Text, value: Text][] | null
  HSCAN: [cursor: Text, fieldsAndValues: Text[]]
  HSET: number
  HSETNX: number
  HSTRLEN: number
  HVALS: Text[]
  INCR: number
  INCRBY: number
  INCRBYFLOAT: Text
  INFO: Text
  KEYS: Text[]
  LASTSAVE: number
  'LATENCY DOCTOR': Text
  'LATENCY GRAPH': Text
  'LATENCY HELP': string[]
  'LATENCY HISTOGRAM': Record<string, Reply<Text>>
  'LATENCY HISTORY': [atSeconds: number, ms: number][]
  'LATENCY LATEST': [event: Text, atSeconds: number, ms: number, maxMs: number][]
  'LATENCY RESET': number
  LCS: Text | number | Record<string, Reply<Text>>
  LINDEX: Text | null
  LINSERT: number
  LLEN: number
  LMOVE: Text | null
  LMPOP: [key: Text, elements: Text[]] | null
  LOLWUT: Text
  LPOP: Text | Text[] | null
  LPOS: number | number[] | null
  LPUSH: number
  LPUSHX: number
  LRANGE: Text[]
  LREM: number
  LSET: 'OK'
  LTRIM: 'OK'
  'MEMORY DOCTOR': Text
  'MEMORY HELP': string[]
  'MEMORY MALLOC-STATS': Text
  'MEMORY PURGE': 'OK'
  'MEMORY STATS': Record<string, Reply<Text>>
  'MEMORY USAGE': number | null
  MGET: (Text | null)[]
  MIGRATE: 'OK' | 'NOKEY'
  'MODULE HELP': string[]
  'MODULE LIST': Record<string, Reply<Text>>[]
  'MODULE LOAD': 'OK'
  'MODULE LOADEX': 'OK'
  'MODULE UNLOAD': 'OK'
  MOVE: number
  MSET: 'OK'
  MSETNX: number
  'OBJECT ENCODING': Text | null
  'OBJECT FREQ': number | null
  'OBJECT HELP': string[]
  'OBJECT IDLETIME': number | null
  'OBJECT REFCOUNT': number | null
  PERSIST: number
  PEXPIRE: number
  PEXPIREAT: number
  PEXPIRETIME: number
  PFADD: number
  PFCOUNT: number
  PFDEBUG: Reply<Text>
  PFMERGE: 'OK'
  PFSELFTEST: 'OK'
  PING: 'PONG' | Text
  PSETEX: 'OK'
  PTTL: number
  PUBLISH: number
  'PUBSUB CHANNELS': Text[]
  'PUBSUB HELP': string[]
  'PUBSUB NUMPAT': number
  'PUBSUB NUMSUB': (Text | number)[]
  'PUBSUB SHARDCHANNELS': Text[]
  'PUBSUB SHARDNUMSUB': (Text | number)[]
  RANDOMKEY: Text | null
  READONLY: 'OK'
  READWRITE: 'OK'
  RENAME: 'OK'
  RENAMENX: number
  REPLCONF: 'OK'
  REPLICAOF: string
  RESTORE: 'OK'
  'RESTORE-ASKING': 'OK'
  ROLE: Reply<Text>[]
  RPOP: Text | Text[] | null
  RPOPLPUSH: Text | null
  RPUSH: number
  RPUSHX: number
  SADD: number
  SAVE: 'OK'
  SCAN: [cursor: Text, keys: Text[]]
  SCARD: number
  'SCRIPT DEBUG': 'OK'
  'SCRIPT EXISTS': number[]
  'SCRIPT FLUSH': 'OK'
  'SCRIPT HELP': string[]
  'SCRIPT KILL': 'OK'
  'SCRIPT LOAD': Text
  SDIFF: Text[]
  SDIFFSTORE: number
  SELECT: 'OK'
  SET: 'OK' | Text | null
  SETBIT: number
  SETEX: 'OK'
  SETNX: number
  SETRANGE: number
  SHUTDOWN: 'OK'
  SINTER: Text[]
  SINTERCARD: number
  SINTERSTORE: number
  SISMEMBER: number
  SLAVEOF: string
  'SLOWLOG GET': Reply<Text>[][]
  'SLOWLOG HELP': string[]
  'SLOWLOG LEN': number
  'SLOWLOG RESET': 'OK'
  SMEMBERS: Text[]
  SMISMEMBER: number[]
  SMOVE: number
  SORT: (Text | null)[] | number
  SORT_RO: (Text | null)[]
  SPOP: Text | Text[] | null
  SPUBLISH: number
  SRANDMEMBER: Text | Text[] | null
  SREM: number
  SSCAN: [cursor: Text, members: Text[]]
  STRLEN: number
  SUBSTR: Text
  SUNION: Text[]
  SUNIONSTORE: number
  SWAPDB: 'OK'
  TIME: [seconds: Text, microseconds: Text]
  TOUCH: number
  TTL: number
  TYPE: string
  UNLINK: number
  UNWATCH: 'OK'
  WAIT: number
  WAITAOF: [local: number, replicas: number]
  WATCH: 'OK'
  XACK: number
  XADD: Text | null
  XAUTOCLAIM: [next: Text, entries: (StreamEntry<Text> | Text)[], deleted: Text[]]
  XCLAIM: (StreamEntry<Text> | Text)[]
  XDEL: number
  'XGROUP CREATE': 'OK'
  'XGROUP CREATECONSUMER': number
  'XGROUP DELCONSUMER': number
  'XGROUP DESTROY': number
  'XGROUP HELP': string[]
  'XGROUP SETID': 'OK'
  'XINFO CONSUMERS': Record<string, Reply<Text>>[]
  'XINFO GROUPS': Record<string, Reply<Text>>[]
  'XINFO HELP': string[]
  'XINFO STREAM': Record<string, Reply<Text>>
  XLEN: number
  XPENDING: Reply<Text>[]
  XRANGE: StreamEntry<Text>[]
  XREAD: Record<string, StreamEntry<Text>[]> | null
  XREADGROUP: Record<string, [id: Text, fields: Text[] | null][]> | null
  XREVRANGE: StreamEntry<Text>[]
  XSETID: 'OK'
  XTRIM: number
  ZADD: number | null
  ZCARD: number
  ZCOUNT: number
  ZDIFF: (Text | [member: Text, score: number])[]
  ZDIFFSTORE: number
  ZINCRBY: number
  ZINTER: (Text | [member: Text, score: number])[]
  ZINTERCARD: number
  ZINTERSTORE: number
  ZLEXCOUNT: number
  ZMPOP: [key: Text, elements: [member: Text, score: number][]] | null
  ZMSCORE: (number | null)[]
  ZPOPMAX: [member: Text, score: number] | [member: Text, score: number][] | []
  ZPOPMIN: [member: Text, score: number] | [member: Text, score: number][] | []
  ZRANDMEMBER: Text | Text[] | [member: Text, score: number][] | null
  ZRANGE: (Text | [member: Text, score: number])[]
  ZRANGEBYLEX: Text[]
  ZRANGEBYSCORE: (Text | [member: Text, score: number])[]
  ZRANGESTORE: number
  ZRANK: number | [rank: number, score: number] | null
  ZREM: number
  ZREMRANGEBYLEX: number
  ZREMRANGEBYRANK: number
  ZREMRANGEBYSCORE: number
  ZREVRANGE: (Text | [member: Text, score: number])[]
  ZREVRANGEBYLEX: Text[]
  ZREVRANGEBYSCORE: (Text | [member: Text, score: number])[]
  ZREVRANK: number | [rank: number, score: number] | null
  ZSCAN: [cursor: Text, membersAndScores: Text[]]
  ZSCORE: number | null
  ZUNION: (Text | [member: Text, score: number])[]
  ZUNIONSTORE: number
}
