// Whole programs with a server inside, on the runtime of this test: one that forgets to close it, one with a faulty
// listener.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { projectRoot } from './tidy/source.ts'

const library = join(projectRoot, process.versions['bun'] ? 'src/index.ts' : 'build/src/index.js')

/** Exit code of a program on this runtime; the signal's name if it had to be killed. */
async function endOf(code: string): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'redstart-end-'))
  const file = join(folder, 'program.mjs')
  writeFileSync(file, `import { createServer } from '${pathToFileURL(library)}'\n${code}\n`)
  const child = spawn(process.execPath, [file], { stdio: 'inherit' })
  const ended = new Promise(resolve => child.once('exit', (exitCode, signal) => resolve(exitCode ?? signal)))
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const outcome = await ended
  clearTimeout(timer)
  rmSync(folder, { recursive: true })
  return outcome
}

test('a forgotten close() does not keep the process alive', async () => {
  const code = `
    const server = await createServer()
    server.connect().write('BLPOP q 100\\r\\n')
    await server.listen()`
  assert.equal(await endOf(code), 0)
})

test('with ref a listening server keeps the process alive, until it is closed', async () => {
  const code = `
    const server = await createServer({ ref: true })
    await server.listen()
    let alive = false
    setTimeout(() => { alive = true; server.close() }, 100).unref()
    process.on('exit', () => { process.exitCode = alive ? 7 : 0 })`
  assert.equal(await endOf(code), 7)
})

test('a listener that throws hurts nobody else, and is heard of', async () => {
  const code = `
    const errors = []
    process.on('uncaughtException', error => errors.push(error.message))
    const server = await createServer()
    const [bad, good, publisher] = [server.connect(), server.connect(), server.connect()]
    let heard = ''
    bad.onData = () => { throw new Error('a fault of the program') }
    good.onData = bytes => { heard += new TextDecoder().decode(bytes) }
    for (const socket of [bad, good]) socket.write('SUBSCRIBE c\\r\\n')
    publisher.write('PUBLISH c hello\\r\\n')
    await new Promise(resolve => setImmediate(resolve))
    const served = heard.endsWith('hello\\r\\n') && errors.length > 0 && errors.every(text => text === 'a fault of the program')
    process.exitCode = served ? 7 : 1`
  assert.equal(await endOf(code), 7)
})

test('servers that are closed leave no memory, sockets and timers behind', async () => {
  const code = `
    import { connect } from 'node:net'
    async function rounds(count) {
      for (let i = 0; i < count; i++) {
        const server = await createServer()
        const port = await server.listen()
        server.callSync('SET', 'k', 'v')
        await server.close()
        const reached = await new Promise(resolve =>
          connect(port, '127.0.0.1').once('connect', () => resolve(true)).once('error', () => resolve(false)))
        if (reached) process.exit(1)
      }
      return process.memoryUsage.rss()
    }
    const before = await rounds(100)
    const grown = (await rounds(300)) - before
    const handles = process.getActiveResourcesInfo?.().filter(name => /Server/.test(name)) ?? []
    process.exitCode = grown < 64 * 1024 * 1024 && handles.length === 0 ? 7 : 1
    console.error(Math.round(grown / 1024 / 1024) + ' MiB more', handles.join())`
  assert.equal(await endOf(code), 7)
})

test('nor before the next turn of the event loop', async () => {
  const code = `
    import { setFlagsFromString } from 'node:v8'
    import { runInNewContext } from 'node:vm'
    for (let i = 0; i < 60; i++) {
      const server = await createServer()
      await server.listen()
      await server.close()
    }
    if (typeof Bun === 'undefined') setFlagsFromString('--expose-gc')
    const collect = typeof Bun === 'undefined' ? runInNewContext('gc') : () => Bun.gc(true)
    let bytes = Infinity
    // Buffers are freed beside the program: the next collection waits for that.
    for (let times = 5; times > 0 && bytes > 8 * 1024 * 1024; times--) {
      collect()
      bytes = process.memoryUsage().arrayBuffers
    }
    process.exitCode = bytes <= 8 * 1024 * 1024 ? 7 : 1
    console.error(Math.round(bytes / 1024 / 1024) + ' MiB of buffers')`
  assert.equal(await endOf(code), 7)
})
