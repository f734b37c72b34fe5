// Stream and StreamGroups against arrays and maps.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFrom } from '../../../../test/harness/random.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Ref } from '../../../memory/arena.ts'
import { OrderedCursor } from '../../../memory/ordered.ts'
import { Keyspace } from '../../keyspace.ts'
import { ENC_STREAM } from '../../types.ts'
import { RelocationCursor, relocateWhole } from '../shared/relocation.ts'
import type { Stream } from './stream.ts'
import { StreamId } from './stream-id.ts'
import { StreamType } from './stream-type.ts'

interface Entry {
  id: [bigint, bigint]
  words: string[]
}

function streamId(id: readonly [bigint, bigint]): StreamId {
  const out = new StreamId()
  assert.ok(out.parse(Slice.of(`${id[0]}-${id[1]}`)))
  return out
}

function before(a: readonly [bigint, bigint], b: readonly [bigint, bigint]): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])
}

const WORDS = ['a', 'b', '', '12', '-70000', '9223372036854775807', 'x'.repeat(30), '\xff\x00']

class Run {
  readonly random: (n: number) => number
  readonly space: Keyspace
  readonly kind: StreamType
  readonly stream: Stream
  entries: Entry[] = []
  last: [bigint, bigint] = [0n, 0n]
  added = 0

  constructor(seed: number) {
    this.random = randomFrom(seed)
    this.space = new Keyspace({ databases: 0, random: () => this.random(0xffffffff) })
    this.kind = new StreamType(this.space, { streamNodeMaxBytes: 300, streamNodeMaxEntries: 7 })
    this.stream = this.kind.stream.create()
  }

  nextId(): [bigint, bigint] {
    const [ms, seq] = this.last
    const dice = this.random(20)
    if (dice < 10) return [ms, seq + 1n]
    if (dice < 18) return [ms + 1n + BigInt(this.random(300)), BigInt(this.random(3))]
    return dice === 18 ? [ms + 2n ** 33n, 2n ** 40n] : [ms, seq + 2n ** 34n]
  }

  add(): void {
    const id = this.nextId()
    const words = this.random(3) > 0 ? ['f', this.word(), 'g', this.word()] : [this.word(), this.word()]
    this.stream.append(streamId(id), words.map(Slice.of), 0, words.length / 2)
    this.entries.push({ id, words })
    this.last = id
    this.added++
  }

  word(): string {
    return WORDS[this.random(WORDS.length)]
  }

  /** An id that is there, or near one that is. */
  someId(): [bigint, bigint] {
    const { entries } = this
    const id = entries.length > 0 ? entries[this.random(entries.length)].id : this.last
    const dice = this.random(4)
    if (dice === 0) return [id[0], id[1] + 1n]
    return dice === 1 && id[1] > 0n ? [id[0], id[1] - 1n] : id
  }

  step(): void {
    const { stream, random } = this
    const dice = random(100)
    if (dice < 45) this.add()
    else if (dice < 65) {
      const id = this.someId()
      const index = this.entries.findIndex(e => e.id[0] === id[0] && e.id[1] === id[1])
      assert.equal(stream.exists(streamId(id)), index >= 0)
      assert.equal(stream.delete(streamId(id)), index >= 0)
      if (index >= 0) this.entries.splice(index, 1)
      if (index === 0) stream.updateFirstId()
    } else if (dice < 68) this.trim()
    else this.range()
  }

  trim(): void {
    const { stream, entries, random } = this
    const exact = random(2) === 0
    const minId = random(2) === 0 ? this.someId() : undefined
    const length = random(entries.length + 5)
    const limit = exact ? 0 : random(2) * 20
    const wanted = minId ? entries.filter(e => before(e.id, minId)).length : Math.max(0, entries.length - length)
    const trim = { length, minId: minId && streamId(minId), approximate: !exact, limit }
    const deleted = stream.trim(trim)
    if (exact) assert.equal(deleted, wanted)
    else assert.ok(deleted <= wanted && (limit === 0 || deleted <= limit))
    entries.splice(0, deleted)
  }

  range(): void {
    const { random, entries } = this
    let from = this.someId()
    let to = this.someId()
    if (before(to, from)) [from, to] = [to, from]
    const reverse = random(2) === 0
    const count = 1 + random(12)
    const expected = entries.filter(e => !before(e.id, from) && !before(to, e.id))
    if (reverse) expected.reverse()
    assert.deepEqual(this.read(streamId(from), streamId(to), reverse, count), expected.slice(0, count))
  }

  read(from: StreamId, to: StreamId, reverse: boolean, count: number): Entry[] {
    const it = this.kind.iterator.start(this.stream.tree, from, to, reverse)
    const out: Entry[] = []
    while (out.length < count && it.next()) {
      const [ms, seq] = it.id.toString().split('-')
      const words: string[] = []
      // Sometimes some fields stay unread.
      const read = this.random(8) === 0 ? this.random(it.fields) : it.fields
      for (let i = 0; i < read; i++) {
        it.nextField()
        words.push(it.field.latin1(), it.value.latin1())
      }
      const entry = this.entries.find(e => `${e.id[0]}-${e.id[1]}` === it.id.toString())
      out.push({ id: [BigInt(ms), BigInt(seq)], words: read < it.fields ? entry!.words : words })
    }
    return out
  }

  check(): void {
    const { stream, entries } = this
    assert.equal(stream.length, entries.length)
    assert.equal(stream.entriesAdded, this.added)
    assert.equal(stream.lastId(new StreamId()).toString(), `${this.last[0]}-${this.last[1]}`)
    const first = entries.length > 0 ? `${entries[0].id[0]}-${entries[0].id[1]}` : '0-0'
    assert.equal(stream.firstId(new StreamId()).toString(), first)
    const min = new StreamId()
    const max = new StreamId().setMax()
    assert.deepEqual(this.read(min, max, false, 1e9), entries)
    assert.deepEqual(this.read(min, max, true, 1e9), [...entries].reverse())
  }
}

test('entries', () => {
  for (let seed = 1; seed < 8; seed++) {
    const run = new Run(seed)
    for (let i = 0; i < 700; i++) {
      run.step()
      if (i % 100 === 0) run.check()
    }
    run.check()
    const twin = run.kind.copy(ENC_STREAM, run.stream.value)
    while (!run.kind.freeStep(ENC_STREAM, run.stream.value, 3));
    run.stream.open(twin)
    run.check()
    while (!run.kind.freeStep(ENC_STREAM, twin, 1000));
    assert.equal(run.space.arena.count, 0)
  }
})

class GroupRun {
  readonly run = new Run(77)
  readonly groups = this.run.kind.groups
  readonly group: Ref
  readonly consumers: Ref[] = []
  model = new Map<number, { owner: number; ms: number; count: number }>()

  constructor() {
    const { stream } = this.run
    this.group = this.groups.create(stream.groupsToWrite(), Slice.of('g'), new StreamId(), -1)
    for (const name of ['alice', 'bob', 'eve'])
      this.consumers.push(this.groups.createConsumer(this.group, Slice.of(name), 1))
  }

  step(): void {
    const { random } = this.run
    const n = 1 + random(400)
    const id = new StreamId().setNumbers(n, n)
    const found = this.groups.findPending(this.group, id)
    const known = this.model.get(n)
    assert.equal(found !== 0, known !== undefined)
    const owner = random(3)
    const dice = random(10)
    if (!known) {
      this.groups.addPending(this.group, this.consumers[owner], id, n, 1)
      this.model.set(n, { owner, ms: n, count: 1 })
    } else if (dice < 3) {
      this.groups.removePending(this.group, found)
      this.model.delete(n)
    } else if (dice < 7) {
      this.groups.setOwner(found, this.consumers[owner])
      known.owner = owner
    } else {
      this.groups.setDelivery(found, dice, known.count + 1)
      known.ms = dice
      known.count++
    }
  }

  list(pending: Ref): string[] {
    const { index } = this.run.kind
    const c = new OrderedCursor()
    const out: string[] = []
    for (let more = index.trees.first(pending, c); more; more = index.trees.next(c)) {
      const entry = index.trees.entryAt(c)
      const name = index.nameOf(this.groups.owner(entry), new Slice()).latin1()
      const delivery = `${this.groups.deliveredMs(entry)} ${this.groups.deliveries(entry)}`
      out.push(`${index.idOf(entry, new StreamId())} ${name} ${delivery}`)
    }
    return out
  }

  check(group: Ref): void {
    const names = ['alice', 'bob', 'eve']
    const all = [...this.model].sort((a, b) => a[0] - b[0])
    const line = ([n, p]: [number, { owner: number; ms: number; count: number }]) =>
      `${n}-${n} ${names[p.owner]} ${p.ms} ${p.count}`
    assert.deepEqual(this.list(this.groups.pending(group)), all.map(line))
    for (let owner = 0; owner < 3; owner++) {
      const consumer = this.groups.findConsumer(group, Slice.of(names[owner]))
      const own = all.filter(([, p]) => p.owner === owner)
      assert.deepEqual(this.list(this.groups.consumerPending(consumer)), own.map(line))
    }
  }
}

test('consumer groups', () => {
  const g = new GroupRun()
  const { kind, stream, space } = g.run
  for (let i = 0; i < 4000; i++) g.step()
  g.check(g.group)
  const twin = kind.copy(ENC_STREAM, stream.value)
  kind.stream.open(twin)
  g.check(g.groups.find(kind.stream.groups, Slice.of('g')))
  ;(space.arena as unknown as { evacuate(index: number): void }).evacuate(0)
  const moved = relocateWhole(kind, new RelocationCursor(), ENC_STREAM, twin)
  space.arena.endEvacuation()
  kind.stream.open(moved)
  const group = g.groups.find(kind.stream.groups, Slice.of('g'))
  g.check(group)
  assert.ok(kind.memory(ENC_STREAM, moved, 5) > 1000)
  g.groups.removeConsumer(group, g.groups.findConsumer(group, Slice.of('bob')))
  assert.equal(g.groups.findConsumer(group, Slice.of('bob')), 0)
  assert.equal(g.list(g.groups.pending(group)).length, [...g.model.values()].filter(p => p.owner !== 1).length)
  while (!kind.freeStep(ENC_STREAM, moved, 10));
  kind.stream.open(g.run.stream.value)
})

test('ids', () => {
  const id = new StreamId()
  const parse = (text: string): string => (id.parse(Slice.of(text)) ? id.toString() : 'invalid')
  assert.equal(parse('5'), '5-0')
  assert.equal(parse('5-7'), '5-7')
  assert.equal(parse('18446744073709551615-18446744073709551615'), '18446744073709551615-18446744073709551615')
  assert.ok(id.isMax)
  assert.equal(parse('18446744073709551616'), 'invalid')
  for (const text of ['', '-', '+', '5-', '-5', '5-7-9', 'x', '5-x', '1.5', '5 ']) assert.equal(parse(text), 'invalid')
  assert.equal(parse('4294967295-18446744073709551615'), '4294967295-18446744073709551615')
  assert.ok(id.increment())
  assert.equal(id.toString(), '4294967296-0')
  assert.ok(id.decrement())
  assert.equal(id.toString(), '4294967295-18446744073709551615')
  assert.equal(id.setMin().decrement(), false)
  assert.ok(id.isMax)
  assert.equal(id.increment(), false)
  assert.ok(id.isZero)
  const u8 = new Uint8Array(64)
  parse('9007199254740993-12')
  assert.equal(new TextDecoder().decode(u8.subarray(0, id.format(u8, 0))), '9007199254740993-12')
})
