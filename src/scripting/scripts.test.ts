import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Functions } from './functions.ts'
import { ENGINE_BYTES } from './script-engine.ts'
import { Scripts } from './scripts.ts'

test('figures of memory, and a flush, need no interpreter', () => {
  const scripts = new Scripts(() => assert.fail())
  const functions = new Functions(new Map([['lua', () => assert.fail()]]))
  scripts.flush()
  functions.flush()
  assert.equal(scripts.interpreterBytes, ENGINE_BYTES)
  assert.equal(functions.interpreterBytes, ENGINE_BYTES)
  assert.equal(scripts.droppedBytes, 0)
})
