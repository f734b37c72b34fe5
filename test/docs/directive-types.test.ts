import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { directiveTypes, TYPES_PATH } from './directive-types.ts'

test('the types of the directives are those of the directives (npm run docs)', () => {
  assert.equal(readFileSync(TYPES_PATH, 'utf8'), directiveTypes())
})
