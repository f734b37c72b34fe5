// The configuration file that comes with Redis 7.2 (test/harness/oracle.ts has what it sets and names): it starts ours
// as it is, and every directive in it works, is refused with a reason, or is documented as without meaning.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { CONFIGURATION_PAGE } from '../../test/docs/configuration-page.ts'
import { oraclePath, withFacts } from '../../test/harness/oracle.ts'
import { ServerProcess } from '../../test/harness/server-process.ts'
import { virtualSystem } from '../system/virtual.ts'
import { Config } from './config.ts'
import { directiveNamed } from './directives.ts'
import { loadText } from './parser.ts'
import { REFUSED, RETIRED, WITHOUT_MEANING } from './support.ts'

/** Lines that CONFIG GET does not show. */
const STATEMENTS = ['include', 'loadmodule', 'rename-command', 'user']
const WORDS = /^#? ?([a-z][a-z_-]+)(?: \S.*)?$/

function fileOfRedis(): string[] {
  return readFileSync(join(dirname(realpathSync(oraclePath!)), '../redis.conf'), 'latin1').split('\n')
}

test('the file as it is starts a server', () =>
  withFacts('redis-conf-lines', async facts => {
    const lines = await facts.of('lines', async () => fileOfRedis().filter(line => /^[a-z]/.test(line)))
    assert.ok(lines.length > 70)
    loadText(new Config(virtualSystem().disk), lines.join('\n'))
  }))

/** The words with which lines begin, set or commented, that redis-server takes. */
async function directivesOfRedis(): Promise<string[]> {
  const words = fileOfRedis().flatMap(line => WORDS.exec(line)?.[1] ?? [])
  const folder = mkdtempSync(join(tmpdir(), 'redstart-redis-conf-'))
  const server = await ServerProcess.start(oraclePath!, folder, {})
  try {
    const shown = (await server.call('CONFIG', 'GET', ...new Set(words))) as string[]
    const known = new Set([...shown.filter((_, i) => i % 2 === 0), ...STATEMENTS])
    return [...new Set(words)].filter(word => known.has(word)).sort()
  } finally {
    await server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

test('each of its directives works, is refused with a reason, or is documented as without meaning', () =>
  withFacts('redis-conf-names', async facts => {
    const names = await facts.of('names', directivesOfRedis)
    assert.ok(names.length > 150)
    const page = readFileSync(CONFIGURATION_PAGE, 'utf8')
    for (const name of names) {
      if (STATEMENTS.includes(name) || RETIRED.includes(name)) continue
      const directive = directiveNamed(name)
      assert.ok(directive, name)
      const row = page.split('\n').find(line => line.startsWith(`| \`${directive.name}\``))
      const reason = REFUSED.get(directive.name) ?? WITHOUT_MEANING.get(directive.name)
      assert.ok(row?.includes(reason ?? 'works'), `${name}: ${row}`)
    }
  }))
