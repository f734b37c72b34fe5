import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allCommands } from '../commands/index.ts'
import { Slice } from '../lib/slice.ts'
import { CommandTable } from './catalog/table.ts'
import { CommandQueue } from './command-queue.ts'

const table = new CommandTable(allCommands)

function push(queue: CommandQueue, ...words: string[]): void {
  const args = words.map(word => Slice.of(word))
  queue.push(table.resolve(args, args.length)!, [...args, Slice.of('not one of them')], args.length)
}

function drain(queue: CommandQueue): string[] {
  const seen: string[] = []
  while (queue.next())
    seen.push([queue.entry.fullName, ...queue.args.slice(1, queue.argc).map(s => s.latin1())].join(' '))
  return seen
}

test('commands come out as they were pushed, however long', () => {
  const queue = new CommandQueue()
  const expected: string[] = []
  for (let i = 0; i < 300; i++) {
    const words = Array.from({ length: i % 70 }, (_, j) => 'x'.repeat((i * j) % 500))
    push(queue, 'DEL', `${i}`, ...words)
    expected.push(['del', `${i}`, ...words].join(' '))
  }
  assert.equal(queue.length, 300)
  assert.deepEqual(drain(queue), expected)
  queue.rewind()
  assert.deepEqual(drain(queue), expected)
})

test('a queue that was cleared is as a new one', () => {
  const queue = new CommandQueue()
  push(queue, 'SET', 'k', 'x'.repeat(1_000_000))
  assert.ok(queue.memoryBytes > 1_000_000)
  queue.next()
  queue.clear()
  assert.equal(queue.length, 0)
  assert.equal(queue.memoryBytes, 0)
  assert.equal(queue.next(), false)
  push(queue, 'GET', '')
  assert.deepEqual(drain(queue), ['get '])
})

test('some() asks each command, and leaves the queue at its start', () => {
  const queue = new CommandQueue()
  for (const key of ['a', 'b', 'c']) push(queue, 'GET', key)
  assert.equal(
    queue.some((_entry, args) => args[1].latin1() === 'b'),
    true,
  )
  assert.equal(
    queue.some((_entry, _args, argc) => argc > 2),
    false,
  )
  assert.deepEqual(drain(queue), ['get a', 'get b', 'get c'])
})

test('the flags of all commands are known without looking at each', () => {
  const queue = new CommandQueue()
  const [get, set] = ['GET', 'SET'].map(name => table.lookup(Slice.of(name))!.flags)
  push(queue, 'GET', 'k')
  push(queue, 'SET', 'k', 'v')
  assert.equal(queue.flagsOfAny, get | set)
  assert.equal(queue.flagsOfAll, get & set)
})
