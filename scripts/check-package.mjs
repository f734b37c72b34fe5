// The package as a stranger gets it: packed, installed from the tarball into an empty folder, imported and required,
// run under the usual test runners, its types compiled by old and new compilers, its command started. Ends with one
// line, 'N passed, N failed'.
//
//   node scripts/check-package.mjs [--quick] [--node PATH]...    --quick: only what needs no further package

import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { close, freePort, pings, step } from './steps.mjs'

const PACKED_BYTES_MAX = 700_000
const FILES_MAX = 60
const TYPESCRIPTS = ['5.0.4', '5.4.5', '5.9.3', '6', '7']
const TOOLS = [
  'publint@0.3',
  '@arethetypeswrong/cli@0.18',
  'vitest@4',
  'jest@30',
  'jest-29@npm:jest@29',
  'cmd-shim@8',
  '@types/node@20',
  'ioredis@6',
  '@sinonjs/fake-timers',
  'bullmq@6',
]
/** What keeps its state in Redis, for libraries.test.mjs. */
const LIBRARIES = [
  '@keyv/redis@5',
  '@socket.io/redis-adapter@8',
  '@upstash/redis@1',
  'bee-queue@2',
  'bull@4',
  'connect-redis@9',
  'express-session@1',
  'keyv@5',
  'rate-limiter-flexible@11',
  'redis@6',
  'redlock@5.0.0-beta.2',
  'socket.io@4',
]

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = mkdtempSync(join(tmpdir(), 'redstart-package-'))
const quick = process.argv.includes('--quick')
const nodes = process.argv.flatMap((word, i, all) => (all[i - 1] === '--node' ? [word] : []))
const bun = join(root, 'node_modules/bun/bin/bun.exe')
// What the steps look for in the output has no colours.
const { FORCE_COLOR: _, ...env } = { ...process.env, NO_COLOR: '1' }

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: folder, env, encoding: 'utf8', timeout: 300_000, ...options })
  return {
    code: result.status,
    out: result.stdout ?? '',
    text: `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`,
  }
}

/** A step that is one command, which succeeds and says so. */
function runs(name, command, args, says = /(?:)/, options = {}) {
  const { code, text } = run(command, args, options)
  step(name, code === 0 && says.test(text), `${command} ${args.join(' ')}: exit code ${code}\n${text}`)
}

const pack = run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root })
const [packed] = JSON.parse(pack.out.slice(pack.out.indexOf('[\n')))
console.log(
  `${packed.filename}: ${packed.size} bytes packed, ${packed.unpackedSize} unpacked, ${packed.entryCount} files`,
)
step('the package is small', packed.size <= PACKED_BYTES_MAX && packed.entryCount <= FILES_MAX)
writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true }\n')
const install = run('npm', ['install', '--no-audit', '--no-fund', packed.filename])
step('it installs without a warning', install.code === 0 && !/warn/i.test(install.text), install.text)
for (const file of readdirSync(join(root, 'test/package'))) cpSync(join(root, 'test/package', file), join(folder, file))

for (const runtime of [process.execPath, bun, ...nodes])
  for (const file of ['esm.mjs', 'cjs.cjs']) runs(`${file} on ${runtime}`, runtime, [file], /^works$/m)
for (const node of [process.execPath, ...nodes])
  runs(`node:test on ${node}`, node, ['--test', 'node.test.mjs'], /pass 1/)
const timing = `const begin = performance.now(); require('redstart'); console.log(performance.now() - begin)`
const times = [1, 2, 3, 4, 5].map(() => Number(run(process.execPath, ['-e', timing]).text))
console.log(`require('redstart'): ${Math.min(...times).toFixed(1)} ms at best`)
for (const node of [process.execPath, ...nodes]) await startsAsCommand(node)
if (!quick) withTools()
rmSync(folder, { recursive: true, force: true })
close()

/** The command of the package serves a client, and ends in order. */
async function startsAsCommand(node) {
  const port = await freePort()
  const command = join(folder, 'node_modules/redstart', manifest().bin.redstart)
  const env = { ...process.env, REDSTART_RUNTIME: 'node' }
  const child = spawn(node, [command, '--port', String(port), '--save', ''], { cwd: folder, env, stdio: 'ignore' })
  const ended = new Promise(resolve => child.once('exit', resolve))
  const reply = await pings(port)
  child.kill('SIGTERM')
  step(`the command on ${node}`, reply === '+PONG\r\n' && (await ended) === 0, reply)
}

function manifest() {
  return JSON.parse(readFileSync(join(folder, 'node_modules/redstart/package.json'), 'utf8'))
}

function withTools() {
  const compilers = TYPESCRIPTS.map(version => `typescript-${version}@npm:typescript@${version}`)
  const tools = run('npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    ...TOOLS,
    ...LIBRARIES,
    ...compilers,
  ])
  step('the tools install', tools.code === 0, tools.text)
  runs('publint', 'npx', ['publint', '--strict', 'node_modules/redstart'])
  runs('attw', 'npx', ['attw', packed.filename], /No problems found/)
  runs('vitest', 'npx', ['vitest', 'run', 'vitest.test.mjs'], /1 passed/)
  for (const node of [process.execPath, ...nodes]) creation(node)
  runs('fake timers of vitest', 'npx', ['vitest', 'run', 'timers.test.mjs'], /12 passed/)
  runs('fake timers of Sinon', process.execPath, ['--test', 'sinon.test.mjs'], /pass 1/)
  runs('BullMQ', 'npx', ['vitest', 'run', 'bullmq.test.mjs', '--testTimeout', '60000'], /8 passed/)
  runs('libraries', 'npx', ['vitest', 'run', 'libraries.test.mjs', '--testTimeout', '60000'], /9 passed/)
  runs('ioredis-mock in Jest', 'npx', ['jest', '--testMatch', '**/jest-mock.test.js'], /1 passed/)
  runs('ioredis-mock in vitest', 'npx', ['vitest', 'run', 'vitest.mock.test.mjs'], /1 passed/)
  for (const node of [process.execPath, ...nodes])
    runs(`jest on ${node}`, node, ['node_modules/jest/bin/jest.js', '--testMatch', '**/jest.test.js'], /3 passed/)
  runs('Jest 29', process.execPath, ['node_modules/jest-29/bin/jest.js', '--testMatch', '**/jest*.test.js'], /4 passed/)
  runs('bun test', bun, ['test', './vitest.test.mjs', './bun.test.mjs'], /2 pass/)
  runs('fixtures of vitest', 'npx', ['vitest', 'run', 'vitest.fixture.test.mjs'], /3 passed/)
  runs('fixtures of Jest', 'npx', ['jest', '--testMatch', '**/fixture.jest.test.js'], /2 passed/)
  runs('fixtures of node:test', process.execPath, ['--test', 'fixture.node.test.mjs'], /pass 3/)
  runs('fixtures of bun test', bun, ['test', './fixture.bun.test.mjs'], /2 pass/)
  runs('cmd-shim', process.execPath, ['shim.cjs'], /node.*redstart\.js/)
  documentation()
  newModule()
  for (const ending of ['mts', 'cts']) copyFileSync(join(folder, 'types.ts'), join(folder, `types.${ending}`))
  for (const version of TYPESCRIPTS) compiles(version, 'node16', 'node16', ['types.mts', 'types.cts'])
  compiles('7', 'nodenext', 'nodenext', ['types.mts', 'types.cts'])
  for (const version of ['5.0.4', '7']) compiles(version, 'esnext', 'bundler', ['types.mts'])
}

/** 50 tests in vitest, each with a server and an ioredis of its own: what it calls the time of the tests. */
function creation(node) {
  const args = ['node_modules/vitest/vitest.mjs', 'run', 'creation.test.mjs']
  const times = [1, 2, 3].map(() => /\btests ([\d.]+m?s)/.exec(run(node, args).text)?.[1])
  step(`50 servers in vitest on ${node}: ${times.join(', ')}`, !times.includes(undefined))
}

/** What the guide and the README show runs as it stands there, and compiles. */
function documentation() {
  for (const page of ['README.md', 'docs/embedding.md']) cpSync(join(root, page), join(folder, basename(page)))
  runs('snippets of the documentation', process.execPath, ['documentation.mjs'], /\d+ snippets/)
  const vitest = ['vitest', 'run', '--globals', '--dir', 'documentation', '--testTimeout', '20000']
  runs('they run in vitest', 'npx', vitest, /Test Files +2\d passed/)
  runs('they run in node:test', process.execPath, ['--test', 'documentation/in-a-program-or-a-test.node.mjs'], /pass 1/)
  const options = ['--strict', '--noEmit', '--skipLibCheck', '--target', 'es2022', '--types', 'node']
  const modules = ['--module', 'nodenext', '--lib', 'es2022,esnext.disposable,dom']
  const tsc = join(folder, 'node_modules/typescript-5.9.3/bin/tsc')
  const files = readdirSync(join(folder, 'documentation')).filter(file => file.endsWith('.ts'))
  const paths = files.map(file => join('documentation', file))
  runs('they compile', process.execPath, [tsc, ...options, ...modules, ...paths])
}

/** What `npm create redstart-module` makes passes its own tests and compiles. */
function newModule() {
  runs('a new module', process.execPath, [join(root, 'create-redstart-module/index.js'), 'stock', 'stock'])
  const cwd = join(folder, 'stock')
  runs('its tests', bun, ['test', './test/module.test.ts'], /2 pass/, { cwd })
  runs('its types', process.execPath, [join(folder, 'node_modules/typescript-7/bin/tsc'), '--noEmit'], /(?:)/, { cwd })
}

function compiles(version, module, resolution, files) {
  const options = ['--strict', '--noEmit', '--skipLibCheck', 'false', '--target', 'es2022', '--types', 'node']
  const modules = ['--module', module, '--moduleResolution', resolution]
  const tsc = join(folder, `node_modules/typescript-${version}/bin/tsc`)
  runs(`TypeScript ${version}, ${resolution}`, process.execPath, [tsc, ...options, ...modules, ...files])
}
