// The template of create-redstart-module: what it is made of runs on each Node that its package.json admits. Types are
// stripped there, nothing else is translated.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from './tidy/source.ts'

const folder = join(projectRoot, 'create-redstart-module/template')

test('a new module and its test have no syntax that Node 22 does not know', () => {
  assert.match(readFileSync(join(folder, 'package.json'), 'utf8'), /"node": ">=22\.18"/)
  for (const file of ['src/index.ts', 'test/module.test.ts'])
    assert.doesNotMatch(
      readFileSync(join(folder, file), 'utf8'),
      /\b(?:await )?using \w+ =|^\s*(?:enum|namespace) /m,
      file,
    )
})
