// What docs/operations.md and SECURITY.md name exists: fields of INFO, directives, tools, files of the project.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { directiveNamed } from '../../src/config/directives.ts'
import { SECTIONS } from '../../src/server/info-fields.ts'
import { toolNamed } from '../../src/tools/index.ts'
import { projectRoot } from '../tidy/source.ts'

const PAGES = ['docs/operations.md', 'SECURITY.md']
const FIELDS = SECTIONS.flatMap(({ fields }) => fields.trim().split(/\s+/))

/** A name, or a family: `loading_*`. */
function isField(name: string): boolean {
  if (name.endsWith('*')) return FIELDS.some(field => field.startsWith(name.slice(0, -1)))
  return FIELDS.includes(name)
}

const inCode = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code)

for (const page of PAGES)
  test(`what ${page} names exists`, async () => {
    const text = readFileSync(join(projectRoot, page), 'utf8')
    const found = { fields: 0, directives: 0, tools: 0, files: 0 }
    for (const code of inCode(text)) {
      const [word, next] = code.split(' ')
      const [name] = word.split(':')
      if (/^[a-z]+(_[a-z*]+)+$/.test(name)) {
        assert.ok(isField(name), `INFO has no ${name}`)
        found.fields++
      } else if (/^deploy\//.test(word) || /^[A-Za-z]+\.(?:conf|md)$/.test(word)) {
        assert.ok(existsSync(join(projectRoot, word)), word)
        found.files++
      } else if (directiveNamed(word) !== undefined) found.directives++
      else assert.doesNotMatch(word, /^[a-z]+(-[a-z]+)+$/, `no directive: ${word}`)
      if (word === 'redstart' && /^[a-z]+$/.test(next ?? '')) {
        assert.notEqual(await toolNamed(next), undefined, code)
        found.tools++
      }
    }
    for (const [, tool] of text.matchAll(/^redstart ([a-z]+) /gm))
      assert.notEqual(await toolNamed(tool), undefined, tool)
    assert.ok(found.directives > 5 && found.files > 0, JSON.stringify(found))
  })
