// The geo commands: sorted sets whose scores are places (geo-hash.ts). Searches are in search.ts.

import type { Command } from '../../engine/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import { ADD_NX, ADD_XX, type ZSet } from '../../keyspace/zset.ts'
import { ZSetKind } from '../../keyspace/zset-kind.ts'
import type { Slice } from '../../lib/slice.ts'
import { SYNTAX } from '../../protocol/errors.ts'
import { addScored } from '../sorted-set/add.ts'
import { openSet } from '../sorted-set/shared.ts'
import { placeOrReply, replyCoordinate, unitOrReply } from './arguments.ts'
import { distanceMeters, distanceText, geohashText, type Place, placeOfScore, scoreOfPlace } from './geo-hash.ts'
import { searchCommands } from './search.ts'

const WORDS_PER_MEMBER = 3

const add: Command = {
  name: 'geoadd',
  arity: -5,
  flags: 'write denyoom',
  keys: 'RW UPDATE @1',
  since: '3.2.0',
  group: 'geo',
  summary: "Adds one or more members to a geospatial index. The key is created if it doesn't exist.",
  complexity: 'O(log(N)) for each item added, where N is the number of elements in the sorted set.',
  args: 'key#0 [condition:(NX|XX)@6.2.0] [change=CH@6.2.0] data:(longitude:double latitude:double member)...',
  history: [['6.2.0', 'Added the `CH`, `NX` and `XX` options.']],
  run(ctx) {
    let flags = 0
    let changes = false
    const opt = ctx.options(2)
    while (opt.more()) {
      if (opt.eat('nx')) flags |= ADD_NX
      else if (opt.eat('xx')) flags |= ADD_XX
      else if (opt.eat('ch')) changes = true
      else break
    }
    const count = opt.left / WORDS_PER_MEMBER
    if (count === 0 || !Number.isInteger(count) || flags === (ADD_NX | ADD_XX)) return ctx.reply.fixedError(SYNTAX)
    const kind = ZSetKind.of(ctx.keyspace)
    const place: Place = { longitude: 0, latitude: 0 }
    kind.makeScores(count)
    for (let i = 0; i < count; i++) {
      if (!placeOrReply(ctx, opt.at + i * WORDS_PER_MEMBER, place)) return
      kind.scores[i] = scoreOfPlace(place.longitude, place.latitude)
    }
    const first = opt.at + 2
    const { dirty } = ctx.keyspace
    addScored(ctx, first, WORDS_PER_MEMBER, count, flags, changes)
    if (ctx.hasSinks && ctx.keyspace.dirty !== dirty) propagateAsScores(ctx, opt.at, first, count)
  },
}

function propagateAsScores(ctx: Context, options: number, first: number, count: number): void {
  const { scores } = ZSetKind.of(ctx.keyspace)
  const words: (Slice | string)[] = ['ZADD', ...ctx.args.slice(1, options)]
  for (let i = 0; i < count; i++) words.push(String(scores[i]), ctx.args[first + i * WORDS_PER_MEMBER])
  ctx.propagateAs(...words)
}

const dist: Command = {
  name: 'geodist',
  arity: -4,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '3.2.0',
  group: 'geo',
  summary: 'Returns the distance between two members of a geospatial index.',
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
    reply.bulkText(distanceText(distanceMeters(a.longitude, a.latitude, b.longitude, b.latitude) / meters))
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
  summary: 'Returns members from a geospatial index as geohash strings.',
  complexity: 'O(1) for each member requested.',
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
  summary: 'Returns the longitude and latitude of members from a geospatial index.',
  complexity: 'O(1) for each member requested.',
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

/** Replies with an array: what `visit` writes for the place of each member from args[2] on. */
function eachPlace(ctx: Context, visit: (place: Place | undefined) => void): void {
  const { args, argc, reply } = ctx
  const entry = ctx.readOrReply(args[1], TYPE_ZSET)
  if (entry === WRONG) return
  const z = entry === 0 ? undefined : openSet(ctx, entry)
  const place: Place = { longitude: 0, latitude: 0 }
  reply.array(argc - 2)
  for (let i = 2; i < argc; i++) visit(placeOf(z, args[i], place) ? place : undefined)
}

export const geoCommands: readonly Command[] = [add, dist, hash, pos, ...searchCommands]
