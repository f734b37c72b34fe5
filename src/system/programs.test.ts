import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { feed, runToEnd } from './programs.ts'

const skip = platform() === 'win32' && 'the programs are those of a Unix system'

test('a program runs, or the reason why not is told', { skip }, () => {
  assert.equal(runToEnd('true', []), undefined)
  assert.equal(runToEnd('false', []), 'exit code 1')
  assert.equal(runToEnd('no-such-program', []), 'No such file or directory')
})

/** What `feed` tells of the end; the fed program itself does not keep this process running. */
async function endOf(program: string, args: readonly string[], text: string): Promise<string> {
  const awake = setInterval(() => {}, 1000)
  const why = await new Promise<string>(resolve => {
    feed(program, args, resolve).write(new TextEncoder().encode(text))
  })
  clearInterval(awake)
  return why
}

test('a program is fed lines', { skip }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'redstart-feed-'))
  const file = join(dir, 'lines')
  try {
    const why = await endOf('sh', ['-c', `read -r line; echo "$line" > ${file}`], 'one\ntwo\n')
    assert.equal(why, 'exit code 0')
    assert.equal(readFileSync(file, 'utf8'), 'one\n')
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('a program that cannot be started is told of, and takes nothing', { skip }, async () => {
  assert.equal(await endOf('no-such-program', [], 'x'), 'No such file or directory')
})
