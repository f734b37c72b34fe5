// Every file of Redis's module tests is in the list of docs/modules.md, and has the tests that the list says.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileText } from '../../../test/harness/module-server.ts'

/** tests/modules/*.c of Redis 7.2.4. */
const FILES =
  'aclcheck auth basics blockedclient blockonbackground blockonkeys cmdintrospection commandfilter datatype datatype2 ' +
  'defragtest eventloop fork getchannels getkeys hash hooks infotest keyspace_events keyspecs list mallocsize misc ' +
  'moduleauthtwo moduleconfigs moduleconfigstwo postnotifications propagate publish rdbloadsave reply scan stream ' +
  'subcommands test_lazyfree testrdb timer usercall zset'
const SHARE_MIN = 0.8

function listed(): Map<string, string> {
  const text = fileText('docs/modules.md')
  const rows = text
    .slice(text.indexOf("## Beside Redis's module tests"))
    .split('\n')
    .filter(line => line.startsWith('| '))
  const cells = rows.slice(1).map(row => row.split('|').map(cell => cell.trim()))
  return new Map(cells.flatMap(([, names, , here]) => names.split(', ').map(name => [name, here] as const)))
}

test('each of Redis’s module tests is listed, and four fifths have a twin', () => {
  const list = listed()
  const files = FILES.split(' ')
  assert.deepEqual([...list.keys()].sort(), [...files].sort())
  const missing: string[] = []
  let twins = 0
  for (const [name, here] of list) {
    if (/^(no meaning|not yet)/.test(here)) continue
    const tests = [...here.matchAll(/`([\w./]+)`/g)].map(([, path]) => fileText(`src/modules/${path}`))
    if (tests.some(text => new RegExp(`(twin\\(\\s*'${name}'|test\\('${name}: )`).test(text))) twins++
    else missing.push(name)
  }
  assert.deepEqual(missing, [])
  assert.ok(twins >= SHARE_MIN * files.length, `${twins} of ${files.length}`)
  assert.match(fileText('docs/modules.md'), new RegExp(`: ${twins} have\\s+such a twin`))
})
