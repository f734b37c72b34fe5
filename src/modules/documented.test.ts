// The examples of RedisBloom's documentation (test/modules/redisbloom.examples), on the filters of examples/.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import bloom from '../../examples/bloom.ts'
import cuckoo from '../../examples/cuckoo.ts'
import { MachineServer } from '../../test/harness/machine.ts'
import { fileText } from '../../test/harness/module-server.ts'
import { latin1Bytes, RespError } from '../../test/harness/resp.ts'
import { splitWords } from '../../test/harness/words.ts'
import { virtualSystem } from '../system/virtual.ts'

interface Example {
  readonly command: string
  /** Not of the page, which takes it for granted. */
  readonly isBefore: boolean
  /** Why the reply is another. */
  readonly why: string | undefined
  readonly reply: string[]
}

/** The examples of each page. */
function pagesOf(text: string): Map<string, Example[]> {
  const pages = new Map<string, Example[]>()
  let examples: Example[] = []
  let why: string | undefined
  for (const line of text.split('\n')) {
    const rest = line.slice(2)
    if (line === '' || line.startsWith('# ')) continue
    if (line.startsWith('page ')) pages.set(line.slice('page '.length), (examples = []))
    else if (line.startsWith('! ')) why = rest
    else if (line.startsWith('> ') || line.startsWith('+ ')) {
      examples.push({ command: rest, isBefore: line.startsWith('+'), why, reply: [] })
      why = undefined
    } else examples.at(-1)!.reply.push(line)
  }
  return pages
}

/** A reply as redis-cli prints it: quotes around what is no plain text are left out. */
function valueOf(lines: readonly string[]): unknown {
  if (/^ *\d+\) /.test(lines[0])) return lines.map(line => oneOf(line.slice(line.indexOf(') ') + 2)))
  assert.equal(lines.length, 1)
  return oneOf(lines[0])
}

function oneOf(text: string): unknown {
  if (text === '(nil)') return null
  if (text.startsWith('(integer) ')) return Number(text.slice('(integer) '.length))
  if (text.startsWith('(error) ')) return `-${text.slice('(error) '.length)}`
  return text.startsWith('"') ? splitWords(text)[0] : text
}

function replyOf(server: MachineServer, command: string): unknown {
  const reply = server.call(...splitWords(command).map(latin1Bytes))
  return reply instanceof RespError ? `-${reply.message}` : reply
}

test('the examples of RedisBloom’s documentation', async () => {
  const counts = { pages: 0, examples: 0, asDocumented: 0 }
  for (const [page, examples] of pagesOf(fileText('test/modules/redisbloom.examples'))) {
    const modules = [{ module: bloom }, { module: cuckoo }]
    const server = await MachineServer.start(virtualSystem({ seed: 1 }), {}, { modules })
    counts.pages++
    for (const { command, isBefore, why, reply } of examples) {
      const got = replyOf(server, command)
      if (isBefore) continue
      counts.examples++
      if (why === undefined) {
        assert.deepEqual(got, valueOf(reply), `${page}: ${command}`)
        counts.asDocumented++
      } else assert.notDeepEqual(got, valueOf(reply), `${page}: ${command}: ${why}`)
    }
  }
  // As docs/modules.md says.
  const { pages, examples, asDocumented } = counts
  const said = `${examples} examples of ${pages} pages of RedisBloom's documentation: ${asDocumented} reply as they show`
  assert.ok(fileText('docs/modules.md').replaceAll('\n', ' ').replaceAll('  ', ' ').includes(said), said)
})
