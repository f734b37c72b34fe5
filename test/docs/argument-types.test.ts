import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ARGUMENTS_PATH, argumentTypes, calledCommands } from './argument-types.ts'
import { declaredReplies } from './reply-types.ts'

test('the arguments of the client are those of the commands (npm run docs)', () => {
  assert.equal(readFileSync(ARGUMENTS_PATH, 'utf8'), argumentTypes())
})

test('every command has the type of its reply', () => {
  assert.deepEqual([...declaredReplies().keys()], [...calledCommands().keys()])
})
