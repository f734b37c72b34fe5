// No directive is taken and then ignored: it is read somewhere, refused, or listed as without meaning.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSources } from '../../test/tidy/source.ts'
import { virtualSystem } from '../system/virtual.ts'
import { Config } from './config.ts'
import { DIRECTIVES, directiveNamed } from './directives.ts'
import { type ConfigError, loadText } from './parser.ts'
import { OF_THE_PROCESS, REFUSED, WITHOUT_MEANING } from './support.ts'

const newConfig = () => new Config(virtualSystem().disk)

/** Source text in which a use of a directive's field counts. */
const readers = readSources('src')
  .filter(file => !file.isTest && !/^src\/(config\/(directives|support)|engine\/settings)/.test(file.path))
  .map(file => file.text.replace(/^ +readonly \w+: .*$/gm, ''))

test('what is in no list has an effect: its field is read', () => {
  const unread = DIRECTIVES.filter(({ name, field }) => {
    if (REFUSED.has(name) || WITHOUT_MEANING.has(name)) return false
    const use = new RegExp(`\\b${field}\\b`)
    return !readers.some(text => use.test(text))
  })
  assert.deepEqual(
    unread.map(one => one.name),
    [],
  )
})

test('the lists name directives, each once', () => {
  for (const name of [...REFUSED.keys(), ...WITHOUT_MEANING.keys()]) assert.equal(directiveNamed(name)?.name, name)
  assert.deepEqual(
    [...REFUSED.keys()].filter(name => WITHOUT_MEANING.has(name)),
    [],
  )
})

/** Other values than the default, one of which each refused directive parses. */
const OTHERS = ['yes', 'no', '7', '127.0.0.1 6379', 'optional']

test('a value that would have no effect is refused at start and by CONFIG SET; the default is not', () => {
  for (const [name, reason] of REFUSED) {
    const config = newConfig()
    const { kind } = directiveNamed(name)!
    const initial = kind.print(kind.initial)
    const starts = OTHERS.filter(value => value !== initial).map(value => {
      try {
        loadText(newConfig(), `${name} ${value}`)
        return ''
      } catch (error) {
        return (error as ConfigError).report
      }
    })
    assert.ok(!starts.includes(''), name)
    assert.ok(
      starts.some(report => report.endsWith(`\nit would have no effect: ${reason}\n`)),
      name,
    )
    if (initial !== '') loadText(config, `${name} ${initial}`)
    if (kind.immutable) continue
    const answers = OTHERS.filter(value => value !== initial).map(value => config.set([[name, value]]))
    const refusal = `ERR CONFIG SET failed (possibly related to argument '${name}') - it would have no effect: ${reason}`
    assert.ok(answers.includes(refusal), name)
    assert.equal(config.print(name), initial)
    assert.equal(config.set([[name, initial]]), null)
  }
})

test('in another program, directives about the process are refused', () => {
  const embedded = new Config(virtualSystem().disk, { embedded: true })
  const others = new Map([
    ['set-proc-title', 'no'],
    ['pidfile', 'x.pid'],
    ['supervised', 'systemd'],
    ['proc-title-template', 'x{title}'],
    ['oom-score-adj-values', '1 2 3'],
    ['shutdown-on-sigint', 'now'],
    ['shutdown-on-sigterm', 'now'],
  ])
  for (const name of OF_THE_PROCESS) {
    const line = `${name} ${others.get(name) ?? 'yes'}`
    assert.throws(() => loadText(embedded, line), /the process belongs to the program that embeds the server/, line)
    loadText(newConfig(), line)
  }
})
