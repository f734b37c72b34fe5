// SORT, SORT_RO: the elements of a list, set or sorted set ordered by their value or the key of BY, limited by LIMIT,
// replied as they are or as the values of GET.

import type { Command } from '../../../engine/catalog/command.ts'
import { KEY_ACCESS } from '../../../engine/catalog/keyspecs.ts'
import { CLIENT_SCRIPT } from '../../../engine/client.ts'
import type { Context } from '../../../engine/context.ts'
import { NOTIFY_GENERIC, NOTIFY_LIST } from '../../../engine/messaging/events.ts'
import { LOOKUP_WRITE } from '../../../keyspace/database.ts'
import { ENC_LISTPACK, TYPE_LIST, TYPE_SET, TYPE_ZSET } from '../../../keyspace/types.ts'
import { ListType } from '../../../keyspace/values/list/list-type.ts'
import { SPACE } from '../../../lib/ascii.ts'
import { parseDouble } from '../../../lib/number.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Ref } from '../../../memory/arena.ts'
import type { ElementSink } from '../../../memory/element.ts'
import { WRONG_TYPE } from '../../../protocol/errors.ts'
import { errorBytes } from '../../../protocol/reply.ts'
import { elementOf as listElementOf, openList } from '../../list/shared.ts'
import { openSet, elementOf as setElementOf } from '../../set/shared.ts'
import { cursorOf, openSet as openSortedSet } from '../../sorted-set/shared.ts'
import { SortElements } from './elements.ts'
import { sortSmallest } from './partial.ts'
import { SortPattern } from './pattern.ts'

const NOT_A_SCORE = errorBytes("ERR One or more scores can't be converted into double")
const BY_IN_CLUSTER = errorBytes('ERR BY option of SORT denied in Cluster mode.')
const GET_IN_CLUSTER = errorBytes('ERR GET option of SORT denied in Cluster mode.')
const BY_DENIED = errorBytes('ERR BY option of SORT denied due to insufficient ACL permissions.')
const GET_DENIED = errorBytes('ERR GET option of SORT denied due to insufficient ACL permissions.')

const sort: Command = {
  name: 'sort',
  arity: -2,
  flags: 'write denyoom',
  keys:
    'RO ACCESS @1; RO ACCESS @? (BY and GET: elements name the keys); ' +
    'OW UPDATE @? (STORE may stand anywhere among the options)',
  keyFinder: 'sort',
  since: '1.0.0',
  group: 'generic',
  summary: 'Sort the elements of a list, set or sorted set, by themselves or by other keys, and return or store them.',
  complexity: 'O(N+M*log(M)), N = elements of the collection, M = elements returned; O(N) without sorting.',
  args:
    'key#0 [BY by-pattern=pattern:pattern#1] [LIMIT limit:(offset:integer count:integer)] ' +
    '[GET... get-pattern=pattern:pattern#1...] [order:(ASC|DESC)] [sorting=ALPHA] [STORE destination#2]',
  acl: 'set sortedset list dangerous',
  run(ctx) {
    sortGeneric(ctx, true)
  },
}

const sortRo: Command = {
  name: 'sort_ro',
  arity: -2,
  flags: 'readonly',
  keys: 'RO ACCESS @1; RO ACCESS @? (BY and GET: elements name the keys)',
  keyFinder: 'sort-ro',
  since: '7.0.0',
  group: 'generic',
  summary: 'Sort the elements of a list, set or sorted set, by themselves or by other keys, and return them.',
  complexity: 'O(N+M*log(M)), N = elements of the collection, M = elements returned; O(N) without sorting.',
  args:
    'key#0 [BY by-pattern=pattern:pattern#1] [LIMIT limit:(offset:integer count:integer)] ' +
    '[GET... get-pattern=pattern:pattern#1...] [order:(ASC|DESC)] [sorting=ALPHA]',
  acl: 'set sortedset list dangerous',
  run(ctx) {
    sortGeneric(ctx, false)
  },
}

interface SortOptions {
  descending: boolean
  alphabetic: boolean
  /** BY a constant: no sorting. */
  unsorted: boolean
  by: SortPattern | undefined
  gets: SortPattern[]
  offset: number
  count: number
  storeKey: Slice | undefined
}

function sortGeneric(ctx: Context, mayStore: boolean): void {
  const options = optionsOrReply(ctx, mayStore)
  if (options === undefined) return
  const { db, reply } = ctx
  const entry = ctx.lookupRead(ctx.args[1])
  const type = entry === 0 ? TYPE_LIST : db.entries.typeOf(entry)
  if (type !== TYPE_LIST && type !== TYPE_SET && type !== TYPE_ZSET) return reply.fixedError(WRONG_TYPE)
  // A set is unordered: a stored result must be the same on all servers.
  if (options.unsorted && type === TYPE_SET && (options.storeKey !== undefined || ctx.client.has(CLIENT_SCRIPT))) {
    options.unsorted = false
    options.alphabetic = true
    options.by = undefined
  }
  if (type !== TYPE_ZSET && isPlain(options) && replySortedIntegers(ctx, entry, type, options)) return
  const elements = new SortElements()
  let { offset, count } = options
  if (entry !== 0 && options.unsorted && type !== TYPE_SET) {
    // Unsorted, LIMIT is a range of the value: nothing else is read.
    gather(ctx, entry, type, elements, options.descending, Math.max(offset, 0), count < 0 ? Infinity : count)
    offset = 0
    count = -1
  } else if (entry !== 0) gather(ctx, entry, type, elements, false, 0, Infinity)
  const order: number[] = []
  for (let i = 0; i < elements.count; i++) order.push(i)
  if (!options.unsorted && !sortedOrReply(ctx, elements, order, options)) return
  const from = Math.min(Math.max(offset, 0), order.length)
  const chosen = order.slice(from, count < 0 ? order.length : from + count)
  if (options.storeKey === undefined) replyWith(ctx, elements, chosen, options.gets)
  else store(ctx, elements, chosen, options.gets, options.storeKey)
}

/** The elements themselves, by their own values. */
function isPlain({ alphabetic, unsorted, by, gets, storeKey }: SortOptions): boolean {
  return !alphabetic && !unsorted && by === undefined && gets.length === 0 && storeKey === undefined
}

/** Replies with a list or set of integers in order; false, without a reply, when it has other elements. */
function replySortedIntegers(ctx: Context, entry: Ref, type: number, options: SortOptions): boolean {
  if (entry === 0) return false
  const values = integersOf(ctx, entry, type)
  if (values === undefined) return false
  const { reply } = ctx
  const { length } = values
  const from = Math.min(Math.max(options.offset, 0), length)
  const to = options.count < 0 ? length : Math.min(length, from + options.count)
  if (options.descending) for (let i = 0; i < length; i++) values[i] = -values[i]
  sortSmallest(values, to)
  reply.array(to - from)
  for (let i = from; i < to; i++) reply.bulkInteger(options.descending ? -values[i] : values[i])
  return true
}

/** Takes the elements of a list while they are integers. */
class IntegerSink implements ElementSink {
  readonly values: Float64Array
  areAll = true
  private count = 0

  constructor(length: number) {
    this.values = new Float64Array(length)
  }

  bulkInteger(n: number): void {
    this.values[this.count++] = n
  }

  bulkAt(): void {
    this.areAll = false
  }
}

/** Undefined when an element is no integer. */
function integersOf(ctx: Context, entry: Ref, type: number): Float64Array | undefined {
  if (type === TYPE_LIST) {
    const list = openList(ctx, entry)
    const integers = new IntegerSink(list.length)
    list.emit(0, list.length, integers)
    return integers.areAll ? integers.values : undefined
  }
  let i = 0
  const set = openSet(ctx, entry)
  const values = new Float64Array(set.length)
  const e = setElementOf(ctx)
  for (set.rewind(); set.next(e); values[i++] = e.n) if (!e.isInteger) return undefined
  return values
}

/** Undefined after an error reply. */
function optionsOrReply(ctx: Context, mayStore: boolean): SortOptions | undefined {
  const options: SortOptions = {
    descending: false,
    alphabetic: false,
    unsorted: false,
    by: undefined,
    gets: [],
    offset: 0,
    count: -1,
    storeKey: undefined,
  }
  const inCluster = ctx.server.host?.mode === 'cluster'
  const { client, command, args, argc } = ctx
  // BY and GET may read any key.
  const mayReadAll = ctx.server.acl.permitsOnAnyKey(client.user, command, args, argc, KEY_ACCESS)
  const opt = ctx.options(2)
  while (opt.more()) {
    if (opt.eat('asc')) options.descending = false
    else if (opt.eat('desc')) options.descending = true
    else if (opt.eat('alpha')) options.alphabetic = true
    else if (opt.eat('limit', 2)) {
      options.offset = opt.longOrReply()
      if (!opt.failed) options.count = opt.longOrReply()
    } else if (mayStore && opt.eat('store', 1)) options.storeKey = opt.next()
    else if (opt.eat('by', 1)) {
      options.by = new SortPattern(opt.next())
      if (options.by.isConstant) options.unsorted = true
      else if (inCluster) opt.fail(BY_IN_CLUSTER)
      else if (!mayReadAll) opt.fail(BY_DENIED)
    } else if (opt.eat('get', 1)) {
      options.gets.push(new SortPattern(opt.next()))
      if (inCluster) opt.fail(GET_IN_CLUSTER)
      else if (!mayReadAll) opt.fail(GET_DENIED)
    } else opt.syntaxError()
    if (opt.failed) return undefined
  }
  return options
}

/** Copies `count` elements of a value from `from` on (0 for a set), in its order or backward. */
function gather(
  ctx: Context,
  entry: Ref,
  type: number,
  elements: SortElements,
  backward: boolean,
  from: number,
  count: number,
): void {
  if (type === TYPE_LIST) {
    const list = openList(ctx, entry)
    const e = listElementOf(ctx)
    if (from >= list.length) return
    list.seek(backward ? list.length - 1 - from : from, !backward)
    while (elements.count < count && list.next(e)) elements.add(e.text())
  } else if (type === TYPE_SET) {
    const set = openSet(ctx, entry)
    const e = setElementOf(ctx)
    set.rewind()
    while (set.next(e)) elements.add(e.text())
  } else gatherSortedSet(ctx, entry, elements, backward, from, count)
}

function gatherSortedSet(
  ctx: Context,
  entry: Ref,
  elements: SortElements,
  backward: boolean,
  from: number,
  count: number,
): void {
  const set = openSortedSet(ctx, entry)
  // Redis converts the encoding permanently, which OBJECT ENCODING shows.
  if (set.encoding === ENC_LISTPACK) {
    entry = ctx.db.lookup(ctx.args[1], LOOKUP_WRITE)
    set.open(ctx.db.entries.encodingOf(entry), ctx.db.entries.valueOf(entry)).toTree()
    ctx.db.entries.setValue(entry, set.encoding, set.value)
  }
  const c = cursorOf(ctx)
  if (from >= set.length) return
  let more = set.seekRank(backward ? set.length - 1 - from : from, c)
  while (more && elements.count < count) {
    elements.add(c.member)
    more = backward ? set.previous(c) : set.next(c)
  }
}

/** Sorts `order`, indexes of elements; false after an error reply. */
function sortedOrReply(ctx: Context, elements: SortElements, order: number[], options: SortOptions): boolean {
  const { alphabetic, by } = options
  const sign = options.descending ? -1 : 1
  if (alphabetic) {
    const texts = by === undefined ? elements : namedTexts(ctx, elements, by)
    if (options.storeKey !== undefined) order.sort((i, j) => sign * texts.compare(i, j))
    else order.sort((i, j) => sign * texts.collate(i, j))
    return true
  }
  const scores = new Float64Array(elements.count)
  if (!readScores(ctx, elements, by, scores)) {
    ctx.reply.fixedError(NOT_A_SCORE)
    return false
  }
  if (!sortByWholeScores(elements, order, scores, sign)) {
    order.sort((i, j) => {
      if (scores[i] === scores[j]) return sign * elements.compare(i, j)
      return scores[i] < scores[j] ? -sign : sign
    })
  }
  return true
}

/**
 * Sorts without a compare function: score and index are packed into one number each. False, with nothing done, when
 * they do not fit, such as fractional scores.
 */
function sortByWholeScores(elements: SortElements, order: number[], scores: Float64Array, sign: number): boolean {
  const { length } = order
  const scoreMax = 2 ** 50 / length // so that dividing by the length never rounds up
  for (let i = 0; i < length; i++) if (!Number.isInteger(scores[i]) || Math.abs(scores[i]) > scoreMax) return false
  const packed = new Float64Array(length)
  for (let i = 0; i < length; i++) packed[i] = sign * scores[i] * length + i
  packed.sort()
  for (let i = 0; i < length; i++) order[i] = packed[i] - Math.floor(packed[i] / length) * length
  for (let from = 0, to = 0; from < length; from = to) {
    for (to = from + 1; to < length && scores[order[to]] === scores[order[from]]; ) to++
    if (to - from === 1) continue
    const ties = order.slice(from, to).sort((i, j) => sign * elements.compare(i, j))
    for (let i = 0; i < ties.length; i++) order[from + i] = ties[i]
  }
  return true
}

function namedTexts(ctx: Context, elements: SortElements, by: SortPattern): SortElements {
  const texts = new SortElements()
  const element = new Slice()
  for (let i = 0; i < elements.count; i++) {
    if (by.lookup(ctx, elements.get(i, element), ctx.value)) texts.add(ctx.value)
    else texts.addMissing()
  }
  return texts
}

/** Reads the scores; a missing BY key counts as 0. False when a value is not a number. */
function readScores(ctx: Context, elements: SortElements, by: SortPattern | undefined, scores: Float64Array): boolean {
  const element = new Slice()
  let allNumbers = true
  for (let i = 0; i < elements.count; i++) {
    elements.get(i, element)
    if (by !== undefined) {
      if (!by.lookup(ctx, element, ctx.value)) continue
      scores[i] = scoreOf(ctx.value)
    } else scores[i] = scoreOf(element)
    if (Number.isNaN(scores[i])) allNumbers = false
  }
  return allNumbers
}

/** strtod: an empty string is 0, leading space is skipped, a NUL ends the number. */
function scoreOf(s: Slice): number {
  const n = parseDouble(s)
  if (!Number.isNaN(n)) return n
  let from = 0
  while (from < s.len && (s.byte(from) === SPACE || (s.byte(from) >= 9 && s.byte(from) <= 13))) from++
  let to = from
  while (to < s.len && s.byte(to) !== 0) to++
  if (from === to) return from === 0 ? 0 : Number.NaN
  return from === 0 && to === s.len ? n : parseDouble(new Slice(s.u8, s.off + from, to - from, s.dv))
}

function replyWith(ctx: Context, elements: SortElements, chosen: number[], gets: SortPattern[]): void {
  const { reply } = ctx
  const element = new Slice()
  reply.array(chosen.length * Math.max(1, gets.length))
  for (const i of chosen) {
    elements.get(i, element)
    if (gets.length === 0) reply.bulk(element)
    for (const pattern of gets) {
      if (pattern.lookup(ctx, element, ctx.value)) reply.bulk(ctx.value)
      else reply.null()
    }
  }
}

function store(ctx: Context, elements: SortElements, chosen: number[], gets: SortPattern[], key: Slice): void {
  const { db, reply } = ctx
  const results = new SortElements()
  const element = new Slice()
  const nothing = new Slice()
  for (const i of chosen) {
    elements.get(i, element)
    if (gets.length === 0) results.add(element)
    for (const pattern of gets) results.add(pattern.lookup(ctx, element, ctx.value) ? ctx.value : nothing)
  }
  if (results.count > 0) {
    const list = ListType.of(ctx.keyspace).current.createQuicklist()
    for (let i = 0; i < results.count; i++) {
      results.get(i, element)
      list.push(element, false)
    }
    list.compact()
    db.put(key, TYPE_LIST, list.encoding, list.value)
    ctx.touched(key, 'sortstore', NOTIFY_LIST, results.count)
  } else if (db.delete(key)) ctx.touched(key, 'del', NOTIFY_GENERIC)
  reply.integer(results.count)
}

export const sortCommands: readonly Command[] = [sort, sortRo]
