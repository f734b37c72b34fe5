// npm test: every test on Bun, then built and again on Node. Ends with one line, 'N passed, N failed, N skipped', and
// with exit code 1 when anything failed.
//
//   npm test                    all
//   npm test -- src/commands    only the test files whose path contains one of the words
//   npm test -- --bun           only on Bun (or --node)
//   npm test -- --oracle        only files with conversations or other questions to a redis-server, that of
// REDIS_SERVER,
//                               without which this fails

import { spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

const root = join(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), '..')
const flags = process.argv.slice(2).filter(word => word.startsWith('--'))
const words = process.argv.slice(2).filter(word => !word.startsWith('--'))
const total = { passed: 0, failed: 0, skipped: 0 }

if (flags.includes('--oracle') && !process.env.REDIS_SERVER) {
  console.log('REDIS_SERVER names no redis-server\n0 passed, 1 failed, 0 skipped')
  process.exit(1)
}
const ASKS_ORACLE = /\/harness\/(conversation|oracle|tools)\.ts'|'\.\/conversation\.ts'/
const files = ['src', 'test']
  .flatMap(folder => readdirSync(join(root, folder), { recursive: true }).map(name => `${folder}/${name}`))
  .map(name => name.replaceAll('\\', '/'))
  .filter(name => name.endsWith('.test.ts') && (words.length === 0 || words.some(word => name.includes(word))))
  .filter(name => !flags.includes('--oracle') || ASKS_ORACLE.test(readFileSync(join(root, name), 'utf8')))
  .sort()

if (!flags.includes('--node')) await onBun()
if (!flags.includes('--bun')) await onNode()
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0

async function onBun() {
  console.log(`Bun: ${files.length} test files`)
  const bun = createRequire(import.meta.url).resolve('bun/bin/bun.exe')
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const names = { pass: 'passed', fail: 'failed', skip: 'skipped' }
  await run(bun, ['test', ...files.map(name => `./${name}`)], counts, line => {
    const summary = /^ *([0-9]+) (pass|fail|skip)$/.exec(line)
    if (summary) counts[names[summary[2]]] = Number(summary[1])
    else if (!/^\((pass|skip|todo)\)|^\s*$|^bun test|^Ran /.test(line) && !/^\S+\.test\.ts:$/.test(line))
      console.log(line)
  })
}

async function onNode() {
  const build = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  )
  if (build.status !== 0) {
    console.log('Node: the build failed')
    total.failed++
    return
  }
  console.log(`Node ${process.version}: ${files.length} test files`)
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const names = { pass: 'passed', fail: 'failed', skipped: 'skipped' }
  let printing = false
  const built = files.map(name => `build/${name.slice(0, -3)}.js`)
  // A file whose test failed may have left a server that keeps its process: it ends all the same. From 20.11 on.
  const [major, minor] = process.versions.node.split('.').map(Number)
  const limit = major > 20 || minor >= 11 ? ['--test-timeout=300000'] : []
  const options = ['--test', '--test-reporter=tap', '--test-concurrency=2', ...limit, ...built]
  await run(process.execPath, options, counts, line => {
    const summary = /^# (pass|fail|skipped) ([0-9]+)$/.exec(line)
    if (summary) counts[names[summary[1]]] = Number(summary[2])
    // A failure is 'not ok' and the indented block after it.
    if (/^not ok/.test(line)) printing = true
    else if (/^(ok|#)/.test(line)) printing = false
    if (printing) console.log(line)
  })
}

/** Runs a test runner, prints its lines, and adds up its counts. */
async function run(command, args, counts, onLine) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const readers = [child.stdout, child.stderr].map(stream => createInterface({ input: stream }))
  for (const reader of readers) reader.on('line', onLine)
  const closed = readers.map(reader => new Promise(resolve => reader.once('close', resolve)))
  const code = await new Promise(resolve => child.once('close', resolve))
  await Promise.all(closed)
  // A file that fails to load is counted by no runner.
  if (code !== 0 && counts.failed === 0) counts.failed = 1
  for (const name of Object.keys(total)) total[name] += counts[name]
  console.log(`  ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
}
