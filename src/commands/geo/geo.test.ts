import assert from 'node:assert/strict'
import { byProtocol, conversation } from '../../../test/harness/conversation.ts'

const SICILY = 'GEOADD s 13.361389 38.115556 Palermo 15.087269 37.502669 Catania'

conversation('places go in and come out', async c => {
  await c.expectAll(
    [SICILY, 2],
    [SICILY, 0],
    ['GEOADD s NX 1 1 Palermo 12.758489 38.788135 edge', 1],
    ['GEOADD s XX CH 12.758489 38.788135 Catania 1 1 none', 1],
    ['GEOADD s 15.087269 37.502669 Catania', 0],
    ['ZSCORE s Palermo', '3479099956230698'],
    ['GEOHASH s Palermo Catania none', ['sqc8b49rny0', 'sqdtr74hyu0', null]],
    ['GEODIST s Palermo Catania', '166274.1516'],
    ['GEODIST s Palermo Catania km', '166.2742'],
    ['GEODIST s Palermo Catania MI', '103.3182'],
    ['GEODIST s Palermo none', null],
    ['GEODIST none a b', null],
    ['GEOPOS s Palermo none', [['13.36138933897018433', '38.11555639549629859'], null]],
    ['GEOPOS none a', [null]],
  )
  await c.expectError('GEODIST s Palermo Catania yards', 'ERR unsupported unit provided. please use M, KM, FT, MI')
  await c.expectError('GEOADD s 200 1 a', 'ERR invalid longitude,latitude pair 200.000000,1.000000')
  await c.expectError('GEOADD s x 1 a', 'ERR value is not a valid float')
  await c.expectError('GEOADD s 1 1', "ERR wrong number of arguments for 'geoadd' command")
  await c.expectError('GEOADD s 1 1 a 2', 'ERR syntax error')
})

conversation('searching a circle and a box', async c => {
  await c.do(SICILY)
  await c.do('GEOADD s 12.758489 38.788135 edge1 17.241510 38.788135 edge2')
  await c.expectAll(
    ['GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km ASC', ['Catania', 'Palermo']],
    ['GEOSEARCH s FROMLONLAT 15 37 BYBOX 400 400 km ASC', ['Catania', 'Palermo', 'edge2', 'edge1']],
    ['GEOSEARCH s FROMMEMBER Palermo BYRADIUS 100 km DESC', ['edge1', 'Palermo']],
    ['GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1', ['Catania']],
    ['GEOSEARCH s FROMLONLAT 0 0 BYRADIUS 1 m', []],
    ['GEOSEARCH none FROMLONLAT 0 0 BYRADIUS 1 m', []],
    [
      'GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 100 km WITHDIST WITHHASH WITHCOORD',
      [['Catania', '56.4413', 3479447370796909, ['15.08726745843887329', '37.50266842333162032']]],
    ],
    [
      'GEORADIUS s 15 37 200 km WITHDIST ASC',
      [
        ['Catania', '56.4413'],
        ['Palermo', '190.4424'],
      ],
    ],
    ['GEORADIUSBYMEMBER s Palermo 100 km', ['Palermo', 'edge1']],
    ['GEORADIUS_RO s 15 37 100 km', ['Catania']],
    ['GEORADIUSBYMEMBER_RO s Palermo 100 km DESC', ['edge1', 'Palermo']],
  )
  await c.expectError('GEOSEARCH s FROMMEMBER none BYRADIUS 1 m', 'ERR could not decode requested zset member')
  await c.expectError(
    'GEOSEARCH s BYRADIUS 1 m ASC WITHDIST',
    /exactly one of FROMMEMBER or FROMLONLAT can be specified for/,
  )
  await c.expectError(
    'GEOSEARCH s FROMLONLAT 1 1 ASC WITHDIST',
    /exactly one of BYRADIUS and BYBOX can be specified for/,
  )
  await c.expectError('GEOSEARCH s FROMLONLAT 1 1 BYRADIUS -1 m', 'ERR radius cannot be negative')
  await c.expectError('GEOSEARCH s FROMLONLAT 1 1 BYRADIUS 1 m ANY', 'ERR the ANY argument requires COUNT argument')
  await c.expectError('GEOSEARCH s FROMLONLAT 1 1 BYRADIUS 1 m COUNT 0', 'ERR COUNT must be > 0')
  await c.expectError('GEORADIUS_RO s 15 37 100 km STORE d', 'ERR syntax error')
})

conversation('storing what was found', async c => {
  await c.do(SICILY)
  await c.expectAll(
    ['GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 km', 2],
    ['GEOPOS d Palermo', [['13.36138933897018433', '38.11555639549629859']]],
    ['GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 100 km STOREDIST', 1],
    ['ZRANGE d 0 -1 WITHSCORES', byProtocol(['Catania', /^56\.44125/], [['Catania', /^56\.44125/]])],
    ['GEORADIUS s 15 37 200 km STORE d', 2],
    ['GEOSEARCHSTORE d none FROMLONLAT 0 0 BYRADIUS 1 m', 0],
    ['EXISTS d', 0],
  )
  await c.expectError(
    'GEORADIUS s 15 37 200 km WITHDIST STORE d',
    'ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options',
  )
})

conversation('COUNT finds the nearest and the farthest of many', async c => {
  // No two are equally far: how redis-server orders such places is not defined.
  for (let i = 0; i < 400; i++)
    await c.do(`GEOADD many ${15 + ((i * 37) % 400) / 1000} ${37 + ((i * 91) % 397) / 1500} m${i}`)
  for (const order of ['ASC', 'DESC']) {
    const all = (await c.do(`GEOSEARCH many FROMLONLAT 15.1 37.1 BYRADIUS 500 km ${order}`)) as string[]
    assert.equal(all.length, 400)
    for (const count of [1, 7, 256, 257, 500])
      await c.expectAll([
        `GEOSEARCH many FROMLONLAT 15.1 37.1 BYRADIUS 500 km ${order} COUNT ${count}`,
        all.slice(0, count),
      ])
  }
})
