import assert from 'node:assert/strict'
import { conversation } from '../../test/harness/conversation.ts'

// The keyspace events of each command: `event key`, in order, with `@1` for database 1. Each command runs on the data
// of the previous ones; expected is what redis-server 7.2.4 publishes.
const EVENTS: [string, string][] = [
  ['SET s 1', 'new s, set s'],
  ['SET s 2 EX 100', 'set s, expire s'],
  ['SET s 3 KEEPTTL', 'set s'],
  ['SETEX s 100 v', 'set s, expire s'],
  ['PSETEX s 100000 v', 'set s, expire s'],
  ['SETNX n 1', 'new n, set n'],
  ['GETSET s w', 'set s'],
  ['GETEX s PERSIST', ''],
  ['GETEX s EX 50', 'expire s'],
  ['GETEX s PXAT 1', 'del s'],
  ['GETDEL n', 'del n'],
  ['MSET a 1 b 2', 'new a, set a, new b, set b'],
  ['MSETNX c 1 d 2', 'new c, set c, new d, set d'],
  ['INCR a', 'incrby a'],
  ['DECR a', 'incrby a'],
  ['INCRBY a 5', 'incrby a'],
  ['DECRBY a 3', 'incrby a'],
  ['INCRBYFLOAT a 1.5', 'incrbyfloat a'],
  ['APPEND b x', 'append b'],
  ['SETRANGE b 3 y', 'setrange b'],
  ['SETBIT bits 3 1', 'new bits, setbit bits'],
  ['BITFIELD bits SET u8 0 5', 'setbit bits'],
  ['BITFIELD bits INCRBY u8 0 5', 'setbit bits'],
  ['BITFIELD bits GET u8 0', ''],
  ['BITOP AND dest bits bits', 'new dest, set dest'],
  ['HSET other f v', 'new other, hset other'],
  ['BITOP AND other bits bits', 'set other'],
  ['PFADD other x', ''],
  ['DEL other', 'del other'],
  ['BITOP AND dest nokey1 nokey2', 'keymiss nokey1, keymiss nokey2, del dest'],
  ['LCS a b', ''],
  ['DEL a', 'del a'],
  ['UNLINK b c', 'del b, del c'],
  ['DEL nokey', ''],
  ['EXPIRE d 100', 'expire d'],
  ['PEXPIRE d 100000', 'expire d'],
  ['EXPIREAT d 99999999999', 'expire d'],
  ['PERSIST d', 'persist d'],
  ['EXPIRE d -1', 'del d'],
  ['SET s v', 'new s, set s'],
  ['SET s3 v', 'new s3, set s3'],
  ['RENAME s s2', 'new s2, rename_from s, rename_to s2'],
  ['RENAMENX s2 s3', ''],
  ['COPY s3 s4', 'new s4, copy_to s4'],
  ['COPY s3 s4 REPLACE', 'new s4, copy_to s4'],
  ['MOVE s4 1', 'new s4@1, move_from s4, move_to s4@1'],
  ['RESTORE r 0 "\\x00\\xc0\\x01\\x0b\\x00\\x4f\\xa7\\x5a\\xc5\\x2c\\x9e\\xf8\\x75"', 'new r, restore r'],
  ['RESTORE r 0 "\\x00\\xc0\\x01\\x0b\\x00\\x4f\\xa7\\x5a\\xc5\\x2c\\x9e\\xf8\\x75" REPLACE', 'new r, restore r'],
  ['RESTORE r 1 "\\x00\\xc0\\x01\\x0b\\x00\\x4f\\xa7\\x5a\\xc5\\x2c\\x9e\\xf8\\x75" REPLACE ABSTTL', 'del r'],
  ['RESTORE r 0 bad', ''],
  ['OBJECT ENCODING s3', ''],
  ['TOUCH s3', ''],
  ['LPUSH l a b c', 'new l, lpush l'],
  ['RPUSH l d', 'rpush l'],
  ['LPUSHX l e', 'lpush l'],
  ['RPUSHX l f', 'rpush l'],
  ['LINSERT l BEFORE a x', 'linsert l'],
  ['LSET l 0 y', 'lset l'],
  ['LREM l 1 a', 'lrem l'],
  ['LREM l 1 nothing', ''],
  ['LTRIM l 0 3', 'ltrim l'],
  ['LPOP l', 'lpop l'],
  ['RPOP l', 'rpop l'],
  ['LMOVE l l2 LEFT RIGHT', 'new l2, rpush l2, lpop l'],
  ['RPOPLPUSH l l2', 'lpush l2, rpop l, del l'],
  ['LMPOP 1 l2 LEFT COUNT 2', 'lpop l2, del l2'],
  ['LTRIM l 1 0', ''],
  ['RPUSH l 1', 'new l, rpush l'],
  ['BLPOP l 0', 'lpop l, del l'],
  ['RPUSH l 1 2', 'new l, rpush l'],
  ['BRPOP l 0', 'rpop l'],
  ['BLMOVE l l3 LEFT LEFT 0', 'new l3, lpush l3, lpop l, del l'],
  ['BLMPOP 0 1 l3 LEFT', 'lpop l3, del l3'],
  ['SADD t a b c d e f', 'new t, sadd t'],
  ['SADD t a', ''],
  ['SREM t a', 'srem t'],
  ['SREM t nothing', ''],
  ['SMOVE t t2 b', 'srem t, new t2, sadd t2'],
  ['SPOP t', 'spop t'],
  ['SADD u c d e f', 'new u, sadd u'],
  ['SINTERSTORE ti t u', 'new ti, sinterstore ti'],
  ['SUNIONSTORE tu t u', 'new tu, sunionstore tu'],
  ['SDIFFSTORE td u u', ''],
  ['SDIFFSTORE tu u u', 'del tu'],
  ['SPOP t2', 'spop t2, del t2'],
  ['SREM u c d e f', 'srem u, del u'],
  ['ZADD z 1 a 2 b 3 c 4 d 5 e 6 f', 'new z, zadd z'],
  ['ZADD z 1 a', ''],
  ['ZADD z XX CH 9 a', 'zadd z'],
  ['ZADD z INCR 1 b', 'zincr z'],
  ['ZADD z NX 1 a', ''],
  ['ZINCRBY z 2 c', 'zincr z'],
  ['ZREM z c', 'zrem z'],
  ['ZREM z nothing', ''],
  ['ZPOPMIN z', 'zpopmin z'],
  ['ZPOPMAX z', 'zpopmax z'],
  ['ZADD z 1 a 2 b 3 c 4 d 5 e 6 f', 'zadd z'],
  ['ZREMRANGEBYRANK z 0 0', 'zremrangebyrank z'],
  ['ZREMRANGEBYSCORE z 2 2', 'zremrangebyscore z'],
  ['ZREMRANGEBYSCORE z 200 200', ''],
  ['ZADD zl 0 a 0 b', 'new zl, zadd zl'],
  ['ZREMRANGEBYLEX zl [a [a', 'zremrangebylex zl'],
  ['ZUNIONSTORE zu 2 z zl', 'new zu, zunionstore zu'],
  ['ZINTERSTORE zi 2 z zl', ''],
  ['ZDIFFSTORE zd 2 z zl', 'new zd, zdiffstore zd'],
  ['ZDIFFSTORE zd 1 nokey', 'keymiss nokey, del zd'],
  ['ZRANGESTORE zr z 0 -1', 'new zr, zrangestore zr'],
  ['ZRANGESTORE zr nokey 0 -1', 'keymiss nokey, del zr'],
  ['ZMPOP 1 zu MIN', 'zpopmin zu'],
  ['BZPOPMIN zu 0', 'zpopmin zu'],
  ['BZPOPMAX z 0', 'zpopmax z'],
  ['BZMPOP 0 1 z MAX', 'zpopmax z'],
  ['GEOADD g 13.361389 38.115556 p 15.087269 37.502669 q', 'new g, zadd g'],
  ['GEOSEARCHSTORE gs g FROMLONLAT 15 37 BYRADIUS 200 km', 'new gs, geosearchstore gs'],
  ['GEOSEARCHSTORE gs g FROMLONLAT 100 7 BYRADIUS 2 km', 'del gs'],
  ['GEORADIUS g 15 37 200 km STORE gs', 'new gs, georadiusstore gs'],
  ['HSET h f 1 g x', 'new h, hset h'],
  ['HSET h f 1', 'hset h'],
  ['HSETNX h f2 1', 'hset h'],
  ['HSETNX h f2 1', ''],
  ['HMSET h f3 1', 'hset h'],
  ['HINCRBY h f 2', 'hincrby h'],
  ['HINCRBYFLOAT h f 1.5', 'hincrbyfloat h'],
  ['HDEL h f2', 'hdel h'],
  ['HDEL h nothing', ''],
  ['HDEL h f f3 g', 'hdel h, del h'],
  ['XADD x 1-1 f v', 'new x, xadd x'],
  ['XADD x 2-1 f v', 'xadd x'],
  ['XADD x MAXLEN 1 3-1 f v', 'xadd x, xtrim x'],
  ['XADD x NOMKSTREAM 4-1 f v', 'xadd x'],
  ['XTRIM x MAXLEN 1', 'xtrim x'],
  ['XTRIM x MAXLEN 10', ''],
  ['XSETID x 9-1', 'xsetid x'],
  ['XGROUP CREATE x grp $', 'xgroup-create x'],
  ['XGROUP CREATE xm grp $ MKSTREAM', 'new xm, xgroup-create xm'],
  ['XGROUP CREATECONSUMER x grp alice', 'xgroup-createconsumer x'],
  ['XGROUP CREATECONSUMER x grp alice', ''],
  ['XGROUP SETID x grp 0', 'xgroup-setid x'],
  ['XREADGROUP GROUP grp bob STREAMS x >', 'xgroup-createconsumer x'],
  ['XACK x grp 4-1', ''],
  ['XREADGROUP GROUP grp carol STREAMS x 0', 'xgroup-createconsumer x'],
  ['XAUTOCLAIM nokey grp dave word 0', 'keymiss nokey'],
  ['XAUTOCLAIM x grp dave 0 0', 'xgroup-createconsumer x'],
  ['XCLAIM x grp dave 0 4-1', ''],
  ['XGROUP DELCONSUMER x grp alice', 'xgroup-delconsumer x'],
  ['XGROUP DESTROY x grp', 'xgroup-destroy x'],
  ['XGROUP DESTROY x grp', ''],
  ['XDEL x 4-1', 'xdel x'],
  ['XDEL x 4-1', ''],
  ['PFADD p a b', 'new p, pfadd p'],
  ['PFADD p a', ''],
  ['PFADD p2 c', 'new p2, pfadd p2'],
  ['PFMERGE p3 p p2', 'keymiss p3, new p3, pfadd p3'],
  ['PFCOUNT p3', ''],
  ['PFCOUNT p p2', ''],
  ['SORT l', 'keymiss l'],
  ['RPUSH so 3 1 2', 'new so, rpush so'],
  ['SORT so STORE sd', 'new sd, sortstore sd'],
  ['SORT nokey STORE sd', 'keymiss nokey, del sd'],
  ['GET nokey', 'keymiss nokey'],
  ['HGET nokey f', 'keymiss nokey'],
  ['LLEN nokey', 'keymiss nokey'],
  ['SISMEMBER nokey f', 'keymiss nokey'],
  ['ZSCORE nokey f', 'keymiss nokey'],
  ['TTL nokey', 'keymiss nokey'],
  ['EXISTS nokey', 'keymiss nokey'],
  ['TYPE nokey', 'keymiss nokey'],
  ['GETRANGE nokey 0 1', 'keymiss nokey'],
  ['MGET nokey s3', 'keymiss nokey'],
  ['STRLEN nokey', 'keymiss nokey'],
  ['SUBSTR nokey 0 1', 'keymiss nokey'],
  ['GETEX nokey', 'keymiss nokey'],
  ['GETDEL nokey', 'keymiss nokey'],
  ['SWAPDB 0 0', ''],
  ['EVAL "return redis.call(\'SET\', KEYS[1], 1)" 1 fromscript', 'new fromscript, set fromscript'],
  ['FLUSHDB', ''],
]

conversation(
  'every command brings forth its events',
  async c => {
    const ear = await c.another()
    await c.config('notify-keyspace-events', 'KEAnm')
    await ear.tell('PSUBSCRIBE __key*__:*')
    await ear.client.message()
    for (const [command, expected] of EVENTS) {
      await c.do(command)
      await c.expect('PUBLISH __keyend__:0 end', 1)
      assert.equal(await heard(ear.client), expected, command)
    }
  },
  { since: '7.2' },
)

/** The events up to the end of the command; each must arrive as keyspace event first, then as keyevent event. */
async function heard(client: { message(): Promise<unknown> }): Promise<string> {
  const events: string[] = []
  let toKey = ''
  for (;;) {
    const [, , channel, text] = (await client.message()) as string[]
    const [, kind, db, name] = /^__key(space|event|end)@?(\d*)__:(.*)$/.exec(channel)!
    if (kind === 'end') return events.join(', ')
    if (kind === 'space') toKey = `${text} ${name}`
    else {
      assert.equal(toKey, `${name} ${text}`)
      events.push(`${name} ${text}${db === '0' ? '' : `@${db}`}`)
    }
  }
}

// A letter of notify-keyspace-events, a command with an event of its class, and one without.
const CLASSES: [string, string, string, string][] = [
  ['g', 'DEL s', 'del s', 'SET s v'],
  ['$', 'SET s v', 'set s', 'DEL s'],
  ['l', 'LPUSH l a', 'lpush l', 'SADD t a'],
  ['s', 'SADD t a', 'sadd t', 'HSET h f v'],
  ['h', 'HSET h f v', 'hset h', 'ZADD z 1 a'],
  ['z', 'ZADD z 1 a', 'zadd z', 'XADD x * f v'],
  ['t', 'XADD x * f v', 'xadd x', 'LPUSH l a'],
  ['m', 'GET nokey', 'keymiss nokey', 'SET s v'],
  ['n', 'SET new v', 'new new', 'SET s w'],
]

conversation('each class of events is told apart', async c => {
  const ear = await c.another()
  await ear.tell('PSUBSCRIBE __key*__:*')
  await ear.client.message()
  for (const [letter, command, event, other] of CLASSES) {
    await c.config('notify-keyspace-events', '')
    await c.do('FLUSHALL')
    await c.do('SET s v')
    await c.config('notify-keyspace-events', `E${letter}`)
    await c.do(other)
    await c.do('SET s v')
    if (letter !== '$') await ear.expectNoMessage()
    else await ear.client.message()
    await c.do(command)
    const [name, key] = event.split(' ')
    await ear.expectMessage(['pmessage', '__key*__:*', `__keyevent@0__:${name}`, key])
    await c.config('notify-keyspace-events', `K${letter}`)
    await c.do('FLUSHALL')
    await c.do(command)
    if (letter !== 'g') await ear.expectMessage(['pmessage', '__key*__:*', `__keyspace@0__:${key}`, name])
    await ear.expectNoMessage()
  }
})

conversation('a key that runs out says so when it really goes', async c => {
  const ear = await c.another()
  await c.config('notify-keyspace-events', 'Ex')
  await ear.tell('PSUBSCRIBE __keyevent@*__:*')
  await ear.client.message()
  await c.expectAll(['SET k v PX 30', 'OK'], ['SET k2 v PX 1000000', 'OK'])
  await c.pass(400)
  await ear.expectMessage(['pmessage', '__keyevent@*__:*', '__keyevent@0__:expired', 'k'])
  await ear.expectNoMessage()
})
