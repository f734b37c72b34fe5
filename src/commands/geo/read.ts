// GEODIST, GEOHASH, GEOPOS.

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSet } from '../../keyspace/values/zset/zset.ts'
import type { Slice } from '../../lib/slice.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { openSet } from '../sorted-set/shared.ts'
import { replyCoordinate, unitOrReply } from './arguments.ts'
import { distanceMeters, geohashText, type Place, placeOfScore, tenThousandths } from './geo-hash.ts'

const dist: Command = {
  name: 'geodist',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '3.2.0',
  group: 'geo',
  summary: 'Return the distance between two places.',
  complexity: 'O(1)',
  args: 'key#0 member1 member2 [unit:(M|KM|FT|MI)]',
  run(ctx) {
    const { args, argc, reply } = ctx
    let meters = 1
    if (argc > 5) return reply.fixedError(SYNTAX)
    if (argc === 5) meters = unitOrReply(ctx, 4)
    if (Number.isNaN(meters)) return
    const entry = ctx.readOrReply(args[1], TYPE_ZSET)
    if (entry === WRONG) return
    if (entry === 0) return reply.null()
    const z = openSet(ctx, entry)
    const a: Place = { longitude: 0, latitude: 0 }
    const b: Place = { longitude: 0, latitude: 0 }
    if (!placeOf(z, args[2], a) || !placeOf(z, args[3], b)) return reply.null()
    const distance = distanceMeters(a.longitude, a.latitude, b.longitude, b.latitude)
    reply.bulkTenThousandths(tenThousandths(distance / meters))
  },
}

function placeOf(z: ZSet | undefined, member: Slice, out: Place): boolean {
  const score = z === undefined ? Number.NaN : z.scoreOf(member)
  if (Number.isNaN(score)) return false
  placeOfScore(score, out)
  return true
}

const hash: Command = {
  name: 'geohash',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '3.2.0',
  group: 'geo',
  summary: 'Return places as standard geohash texts.',
  complexity: 'O(1) for each member named.',
  args: 'key#0 [member...]',
  run(ctx) {
    eachPlace(ctx, place => {
      if (place === undefined) ctx.reply.null()
      else ctx.reply.bulkText(geohashText(place.longitude, place.latitude))
    })
  },
}

const pos: Command = {
  name: 'geopos',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '3.2.0',
  group: 'geo',
  summary: 'Return the coordinates of places.',
  complexity: 'O(1) for each member named.',
  args: 'key#0 [member...]',
  run(ctx) {
    const { reply } = ctx
    eachPlace(ctx, place => {
      if (place === undefined) return reply.nullArray()
      reply.array(2)
      replyCoordinate(reply, place.longitude)
      replyCoordinate(reply, place.latitude)
    })
  },
}

/** Replies with an array: `visit` writes an element for the place of each member from args[2] on. */
function eachPlace(ctx: Context, visit: (place: Place | undefined) => void): void {
  const { args, argc, reply } = ctx
  const entry = ctx.readOrReply(args[1], TYPE_ZSET)
  if (entry === WRONG) return
  const z = entry === 0 ? undefined : openSet(ctx, entry)
  const place: Place = { longitude: 0, latitude: 0 }
  reply.array(argc - 2)
  for (let i = 2; i < argc; i++) visit(placeOf(z, args[i], place) ? place : undefined)
}

export const readingCommands: readonly Command[] = [dist, hash, pos]
