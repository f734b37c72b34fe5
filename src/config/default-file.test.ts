// redstart.conf: it loads, says the defaults, and has every directive that works.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { OWN_DIRECTIVES } from '../../test/harness/own-directives.ts'
import { projectRoot } from '../../test/tidy/source.ts'
import { virtualSystem } from '../system/virtual.ts'
import { Config } from './config.ts'
import { DIRECTIVES, type NamedDirective } from './directives.ts'
import { loadText } from './parser.ts'
import { REFUSED, WITHOUT_MEANING } from './support.ts'

const text = readFileSync(join(projectRoot, 'redstart.conf'), 'latin1')

const configOf = (lines: string) => {
  const machine = virtualSystem({ cwd: '/data' })
  const config = new Config(machine.disk)
  loadText(config, lines)
  return config
}

test('redstart.conf equals the defaults', () => {
  assert.deepEqual(configOf(text).get(['*']), configOf('').get(['*']))
})

test('redstart.conf has each directive that works once, and no other', () => {
  const written = [...text.matchAll(/^#?([a-z]\S+) /gm)].map(([, name]) => name)
  const isShown = ({ name, kind }: NamedDirective) => !kind.hidden || OWN_DIRECTIVES.includes(name)
  const works = DIRECTIVES.filter(one => isShown(one) && !REFUSED.has(one.name) && !WITHOUT_MEANING.has(one.name))
  const several = ['save', 'client-output-buffer-limit']
  assert.deepEqual(
    written.filter((name, i) => !several.includes(name) || written.indexOf(name) === i).sort(),
    works.map(({ name }) => name).sort(),
  )
})

test('the examples of redstart.conf are valid', () => {
  const examples = [...text.matchAll(/^#([a-z].*)$/gm)].map(([, line]) => line)
  assert.ok(examples.length > 0)
  for (const example of examples) {
    const name = example.split(' ')[0]
    assert.notEqual(configOf(example).print(name), configOf('').print(name), example)
  }
})
