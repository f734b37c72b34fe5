// The template of create-redstart-module: what it is made of runs on each Node that its package.json admits. Types are
// stripped there, nothing else is translated.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const FOLDER = new URL('../create-redstart-module/template/', import.meta.url)

test('a new module and its test have no syntax that Node 22 does not know', () => {
  assert.match(readFileSync(new URL('package.json', FOLDER), 'utf8'), /"node": ">=22\.18"/)
  for (const file of ['src/index.ts', 'test/module.test.ts'])
    assert.doesNotMatch(
      readFileSync(new URL(file, FOLDER), 'utf8'),
      /\b(?:await )?using \w+ =|^\s*(?:enum|namespace) /m,
      file,
    )
})
