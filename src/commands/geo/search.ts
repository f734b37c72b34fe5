// GEOSEARCH, GEOSEARCHSTORE, and the search of the GEORADIUS family.
//
//   shape ─▶ at most nine ranges of scores (geo-hash.ts) ─▶ members in them ─▶ those within the shape ─▶ sorted, cut

import type { Command } from '../../engine/catalog/command.ts'
import { type Context, WRONG } from '../../engine/context.ts'
import { NOTIFY_ZSET } from '../../engine/messaging/events.ts'
import { TYPE_ZSET } from '../../keyspace/types.ts'
import type { ZSet } from '../../keyspace/values/zset/zset.ts'
import { ZSetType } from '../../keyspace/values/zset/zset-type.ts'
import type { Slice } from '../../lib/slice.ts'
import { COUNT_OPTION_NOT_POSITIVE, SYNTAX } from '../../protocol/errors.ts'
import { errorBytes } from '../../protocol/reply.ts'
import { errorText } from '../shared/arguments.ts'
import { cursorOf, deleteDestination, openSet } from '../sorted-set/shared.ts'
import { placeOrReply, replyCoordinate, unitOrReply } from './arguments.ts'
import {
  distanceWithin,
  isBeyond,
  type Place,
  placeOfScore,
  rangesAround,
  reachOf,
  type Shape,
  tenThousandths,
} from './geo-hash.ts'

const RADIUS = errorBytes('ERR need numeric radius')
const RADIUS_NEGATIVE = errorBytes('ERR radius cannot be negative')
const WIDTH = errorBytes('ERR need numeric width')
const HEIGHT = errorBytes('ERR need numeric height')
const BOX_NEGATIVE = errorBytes('ERR height or width cannot be negative')
const NO_MEMBER = errorBytes('ERR could not decode requested zset member')
const ANY_WITHOUT_COUNT = errorBytes('ERR the ANY argument requires COUNT argument')

/** Of searches for the nearest or farthest few only so many points are kept at a time. */
const KEPT_MAX = 256

type Form = 'radius' | 'member' | 'search' | 'searchstore'

const geoSearch: Command = {
  name: 'geosearch',
  arity: -7,
  flags: 'readonly',
  keys: 'RO ACCESS @1',
  since: '6.2.0',
  group: 'geo',
  summary: 'Find places in a circle or box around a point or member.',
  complexity: 'O(N+log(M)), N = members in the cells that cover the shape, M = members within it.',
  args:
    'key#0 from:(FROMMEMBER member|FROMLONLAT fromlonlat:(longitude:double latitude:double)) ' +
    'by:(circle:(BYRADIUS radius:double unit:(M|KM|FT|MI))|box:(BYBOX width:double height:double unit:(M|KM|FT|' +
    'MI))) [order:(ASC|DESC)] [count-block:(COUNT count:integer [ANY])] [WITHCOORD] [WITHDIST] [WITHHASH]',
  history: [['7.0.0', 'Units may be written in capitals.']],
  run(ctx) {
    search(ctx, 'search', false)
  },
}

const geoSearchStore: Command = {
  name: 'geosearchstore',
  arity: -8,
  flags: 'write denyoom',
  keys: 'OW UPDATE @1; RO ACCESS @2',
  since: '6.2.0',
  group: 'geo',
  summary: 'Find places in a circle or box and store them, with their distances if wished.',
  complexity: 'O(N+log(M)), N = members in the cells that cover the shape, M = members within it.',
  args:
    'destination#0 source#1 from:(FROMMEMBER member|FROMLONLAT fromlonlat:(longitude:double latitude:double)) ' +
    'by:(circle:(BYRADIUS radius:double unit:(M|KM|FT|MI))|box:(BYBOX width:double height:double unit:(M|KM|FT|' +
    'MI))) [order:(ASC|DESC)] [count-block:(COUNT count:integer [ANY])] [STOREDIST]',
  history: [['7.0.0', 'Units may be written in capitals.']],
  run(ctx) {
    search(ctx, 'searchstore', true)
  },
}

/** The options of a search, and its execution. */
class SearchRequest implements Shape {
  longitude = 0
  latitude = 0
  radius = 0
  width = 0
  height = 0
  /** Meters per requested unit. */
  unit = 1
  withDist = false
  withHash = false
  withCoord = false
  sort: 'none' | 'asc' | 'desc' = 'none'
  /** 0: no limit. */
  count = 0
  any = false
  destination: Slice | undefined
  storeDistance = false
  private from: 'nothing' | 'member' | 'place' = 'nothing'
  private shape: 'nothing' | 'radius' | 'box' = 'nothing'
  private readonly ctx: Context
  private readonly form: Form
  private readonly mayStore: boolean
  /** The set searched; undefined when the key does not exist. */
  private readonly z: ZSet | undefined

  constructor(ctx: Context, form: Form, mayStore: boolean, z: ZSet | undefined) {
    this.ctx = ctx
    this.form = form
    this.mayStore = mayStore
    this.z = z
  }

  get box(): boolean {
    return this.shape === 'box'
  }

  get isSearch(): boolean {
    return this.form === 'search' || this.form === 'searchstore'
  }

  /** Reads all arguments; false after an error reply. */
  parseOrReply(): boolean {
    const { ctx, form } = this
    let at: number
    if (form === 'radius') {
      at = 6
      if (!placeOrReply(ctx, 2, this) || !this.radiusOrReply(4)) return false
    } else if (form === 'member') {
      at = 5
      // Without the key the options only decide the form of the empty reply.
      if (this.z !== undefined && (!this.memberOrReply(2) || !this.radiusOrReply(3))) return false
    } else {
      at = form === 'search' ? 2 : 3
      if (form === 'searchstore') this.destination = ctx.args[1]
    }
    return this.optionsOrReply(at) && this.isCompleteOrReply()
  }

  private optionsOrReply(from: number): boolean {
    const opt = this.ctx.options(from)
    while (opt.more()) {
      if (opt.eat('withdist')) this.withDist = true
      else if (opt.eat('withhash')) this.withHash = true
      else if (opt.eat('withcoord')) this.withCoord = true
      else if (opt.eat('any')) this.any = true
      else if (opt.eat('asc')) this.sort = 'asc'
      else if (opt.eat('desc')) this.sort = 'desc'
      else if (opt.eat('count', 1)) {
        this.count = opt.longOrReply()
        if (this.count <= 0) opt.fail(COUNT_OPTION_NOT_POSITIVE)
      } else if (this.isSearch) {
        if (this.form === 'searchstore' && opt.eat('storedist')) this.storeDistance = true
        else if (this.from !== 'place' && opt.eat('frommember', 1)) {
          this.from = 'member'
          if (this.z !== undefined && !this.memberOrReply(opt.at)) return false
          opt.at++
        } else if (this.from !== 'member' && opt.eat('fromlonlat', 2)) {
          this.from = 'place'
          if (!placeOrReply(this.ctx, opt.at, this)) return false
          opt.at += 2
        } else if (this.shape !== 'box' && opt.eat('byradius', 2)) {
          this.shape = 'radius'
          if (!this.radiusOrReply(opt.at)) return false
          opt.at += 2
        } else if (this.shape !== 'radius' && opt.eat('bybox', 3)) {
          this.shape = 'box'
          if (!this.boxOrReply(opt.at)) return false
          opt.at += 3
        } else opt.fail(SYNTAX)
      } else if (this.mayStore && opt.eat('store', 1)) {
        this.destination = opt.next()
        this.storeDistance = false
      } else if (this.mayStore && opt.eat('storedist', 1)) {
        this.destination = opt.next()
        this.storeDistance = true
      } else opt.fail(SYNTAX)
      if (opt.failed) return false
    }
    return true
  }

  private isCompleteOrReply(): boolean {
    const { reply, args } = this.ctx
    if (this.destination !== undefined && (this.withDist || this.withHash || this.withCoord)) {
      const who = this.form === 'searchstore' ? 'GEOSEARCHSTORE' : 'STORE option in GEORADIUS'
      reply.error(`ERR ${who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`)
    } else if (this.isSearch && this.from === 'nothing') {
      reply.error(`ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${errorText(args[0])}`)
    } else if (this.isSearch && this.shape === 'nothing') {
      reply.error(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${errorText(args[0])}`)
    } else if (this.any && this.count === 0) reply.fixedError(ANY_WITHOUT_COUNT)
    else {
      // COUNT without ANY means the nearest.
      if (this.count > 0 && this.sort === 'none' && !this.any) this.sort = 'asc'
      return true
    }
    return false
  }

  private memberOrReply(i: number): boolean {
    const score = this.z!.scoreOf(this.ctx.args[i])
    if (Number.isNaN(score)) {
      this.ctx.reply.fixedError(NO_MEMBER)
      return false
    }
    placeOfScore(score, this)
    return true
  }

  private radiusOrReply(i: number): boolean {
    const { ctx } = this
    const length = ctx.doubleOrReply(i, RADIUS)
    if (Number.isNaN(length)) return false
    if (length < 0) {
      ctx.reply.fixedError(RADIUS_NEGATIVE)
      return false
    }
    this.unit = unitOrReply(ctx, i + 1)
    this.radius = length * this.unit
    return !Number.isNaN(this.unit)
  }

  private boxOrReply(i: number): boolean {
    const { ctx } = this
    const width = ctx.doubleOrReply(i, WIDTH)
    if (Number.isNaN(width)) return false
    const height = ctx.doubleOrReply(i + 1, HEIGHT)
    if (Number.isNaN(height)) return false
    if (width < 0 || height < 0) {
      ctx.reply.fixedError(BOX_NEGATIVE)
      return false
    }
    this.unit = unitOrReply(ctx, i + 2)
    this.width = width * this.unit
    this.height = height * this.unit
    return !Number.isNaN(this.unit)
  }
}

interface Point extends Place {
  /** For ZSet.memberOf of the set searched. */
  member: number
  score: number
  /** In the requested unit. */
  distance: number
}

export function search(ctx: Context, form: Form, mayStore: boolean): void {
  const { args, reply } = ctx
  const entry = ctx.readOrReply(args[form === 'searchstore' ? 2 : 1], TYPE_ZSET)
  if (entry === WRONG) return
  const z = entry === 0 ? undefined : openSet(ctx, entry)
  const request = new SearchRequest(ctx, form, mayStore, z)
  if (!request.parseOrReply()) return
  const { destination } = request
  const points = z === undefined ? [] : findPoints(ctx, z, request)
  if (z === undefined || points.length === 0) {
    if (destination === undefined) return reply.emptyArray()
    deleteDestination(ctx, destination)
  } else if (destination === undefined) return replyPoints(ctx, z, points, request)
  else store(ctx, destination, z, points, request)
  reply.integer(points.length)
}

function findPoints(ctx: Context, z: ZSet, request: SearchRequest): Point[] {
  const points: Point[] = []
  const { count, unit } = request
  const enough = request.any ? count : Number.POSITIVE_INFINITY
  const sign = request.sort === 'desc' ? -1 : 1
  const kept = request.sort !== 'none' && !request.any && count > 0 && count <= KEPT_MAX ? count : 0
  const c = cursorOf(ctx)
  const place: Place = { longitude: 0, latitude: 0 }
  const reach = reachOf(request)
  for (const { min, max } of rangesAround(request)) {
    if (points.length >= enough) break
    let more = z.seekScore(min, c)
    for (; more && c.score < max && points.length < enough; more = z.nextScore(c)) {
      if (isBeyond(reach, request, placeOfScore(c.score, place))) continue
      const meters = distanceWithin(request, place)
      if (meters < 0) continue
      const distance = meters / unit
      const isFull = kept > 0 && points.length === kept
      if (isFull && sign * (distance - points[kept - 1].distance) >= 0) continue
      const { longitude, latitude } = place
      const point = { longitude, latitude, member: z.handleAt(c), score: c.score, distance }
      if (isFull) points.pop()
      if (kept > 0) insertSorted(points, point, sign)
      else points.push(point)
    }
  }
  if (kept > 0) return points
  if (request.sort !== 'none') points.sort((a, b) => sign * (a.distance - b.distance))
  return count > 0 ? points.slice(0, count) : points
}

/** Inserts a point behind those that are as far as it. `sign`: 1 when the nearest is first, -1 the farthest. */
function insertSorted(points: Point[], point: Point, sign: number): void {
  let at = points.length
  points.push(point)
  for (; at > 0 && sign * (points[at - 1].distance - point.distance) > 0; at--) points[at] = points[at - 1]
  points[at] = point
}

function replyPoints(ctx: Context, z: ZSet, points: Point[], request: SearchRequest): void {
  const { reply } = ctx
  const c = cursorOf(ctx)
  const extras = Number(request.withDist) + Number(request.withHash) + Number(request.withCoord)
  reply.array(points.length)
  for (const point of points) {
    if (extras > 0) reply.array(extras + 1)
    reply.bulk(z.memberOf(point.member, c))
    if (request.withDist) reply.bulkTenThousandths(tenThousandths(point.distance))
    if (request.withHash) reply.bigint(BigInt(Math.trunc(point.score)))
    if (!request.withCoord) continue
    reply.array(2)
    replyCoordinate(reply, point.longitude)
    replyCoordinate(reply, point.latitude)
  }
}

function store(ctx: Context, key: Slice, from: ZSet, points: Point[], request: SearchRequest): void {
  const c = cursorOf(ctx)
  const z = ZSetType.of(ctx.keyspace).destination.createTree()
  let memberBytes = 0
  let memberBytesMax = 0
  for (const { member: handle, score, distance } of points) {
    const member = from.memberOf(handle, c)
    z.add(member, request.storeDistance ? distance : score, 0)
    memberBytes += member.len
    memberBytesMax = Math.max(memberBytesMax, member.len)
  }
  z.packIfSmall(memberBytesMax, memberBytes)
  ctx.db.put(key, TYPE_ZSET, z.encoding, z.value)
  ctx.touched(key, request.isSearch ? 'geosearchstore' : 'georadiusstore', NOTIFY_ZSET, points.length)
}

export const searchCommands: readonly Command[] = [geoSearch, geoSearchStore]
