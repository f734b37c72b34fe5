import { anything, conversation } from '../../test/harness/conversation.ts'

async function sicily(c: Parameters<Parameters<typeof conversation>[1]>[0]): Promise<void> {
  await c.expect('GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania', 2)
}

conversation('GEOADD, GEOPOS, GEODIST and GEOHASH', async c => {
  await sicily(c)
  await c.expectAll(
    ['GEOADD Sicily NX 1 1 Palermo', 0],
    ['GEOADD Sicily XX CH 13.361389 38.2 Palermo', 1],
    ['GEOADD Sicily 13.361389 38.115556 Palermo', 0],
    ['GEODIST Sicily Palermo Catania', '166274.1516'],
    ['GEODIST Sicily Palermo Catania km', '166.2742'],
    ['GEODIST Sicily Palermo none', null],
    ['GEOHASH Sicily Palermo Catania none', ['sqc8b49rny0', 'sqdtr74hyu0', null]],
    ['GEOPOS Sicily none', [null]],
    ['ZSCORE Sicily Palermo', '3479099956230698'],
  )
  await c.expectError('GEOADD Sicily 200 100 far', 'ERR invalid longitude,latitude pair 200.000000,100.000000')
  await c.expectError('GEODIST Sicily Palermo Catania mm', 'ERR unsupported unit provided. please use M, KM, FT, MI')
})

conversation('GEOSEARCH finds by circle and by box', async c => {
  await sicily(c)
  await c.expectAll(
    ['GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 200 km ASC', ['Catania', 'Palermo']],
    ['GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 100 200 km', ['Catania']],
    ['GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 m WITHDIST', [['Palermo', '0.0000']]],
    ['GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 ANY WITHHASH', anything],
    ['GEOSEARCHSTORE to Sicily FROMLONLAT 15 37 BYRADIUS 200 km', 2],
    ['ZCARD to', 2],
    ['GEORADIUS Sicily 15 37 200 km DESC', ['Palermo', 'Catania']],
    ['GEORADIUS_RO Sicily 15 37 100 km', ['Catania']],
    ['GEORADIUSBYMEMBER Sicily Palermo 200 km ASC', ['Palermo', 'Catania']],
    ['GEORADIUSBYMEMBER_RO Sicily Palermo 1 km', ['Palermo']],
  )
  await c.expectError('GEOSEARCH Sicily FROMMEMBER none BYRADIUS 1 km', 'ERR could not decode requested zset member')
})
