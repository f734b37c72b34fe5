import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf } from '../lib/bytes.ts'
import { newId, seededRandom } from '../system/random.ts'
import { Node, PRIMARY } from './node.ts'
import { NodeTable } from './node-table.ts'

function nodeOf(id: string): Node {
  return new Node(id, id, PRIMARY, 0)
}

function view(text: string): DataView {
  const { buffer, byteOffset, length } = bytesOf(text)
  return new DataView(buffer, byteOffset, length)
}

test('nodes are found by the bytes of their ids', () => {
  const random = seededRandom(4)
  const table = new NodeTable()
  const nodes = Array.from({ length: 300 }, () => nodeOf(newId(random)))
  for (const node of nodes) table.add(node)
  const find = (id: string) => table.at(view(`--${id}--`), 2)
  for (const node of [...nodes, ...nodes]) assert.equal(find(node.id), node)
  assert.equal(find(newId(random)), undefined)
  const [gone, renamed] = nodes
  table.delete(gone)
  assert.equal(find(gone.id), undefined)
  const before = renamed.id
  table.delete(renamed)
  renamed.id = newId(random)
  table.add(renamed)
  assert.equal(find(before), undefined)
  assert.equal(find(renamed.id), renamed)
  assert.equal(table.size, 299)
})

test('ids that begin alike are told apart', () => {
  const table = new NodeTable()
  const [one, other] = ['1', '2'].map(end => nodeOf('01234567'.padEnd(39, 'f') + end))
  table.add(one)
  table.add(other)
  for (const node of [one, other, one]) assert.equal(table.at(view(node.id), 0), node)
  table.delete(one)
  assert.equal(table.at(view(one.id), 0), undefined)
  assert.deepEqual(table.values(), [other])
})
