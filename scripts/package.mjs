// Makes dist/, the content of the published package, from the sources and the declarations in build/ (npm run build):
//
//   dist/index.cjs        the library, and for each other entry one beside it
//   dist/scripting.cjs …  its parts that few servers need (library-and-program.mjs)
//   dist/index.js         the same for `import`: it hands on what index.cjs exports, so that a process that imports and
//                         requires has one library, not two
//   dist/worker.cjs       the entry of a server's thread
//   dist/index.d.ts       rolled-up types; .d.cts for `require`
//   dist/main.cjs         the program, for bin/redstart.js, less what the library has (library-and-program.mjs)

import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolledUp } from './declarations.mjs'

const ENTRIES = [
  'index',
  'ioredis',
  'ioredis-mock',
  'memory-server',
  'module',
  'node-redis',
  'upstash',
  'bun-test',
  'jest',
  'node-test',
  'vitest',
]
/**
 * Their default export is what `require` returns, with the other exports as properties; not named an ES module, for
 * which test runners would take the class as the module itself.
 */
const DEFAULTS = new Map([
  ['ioredis-mock', { main: 'RedisMock', also: { Redis: 'RedisMock', Cluster: 'ClusterMock' } }],
  ['memory-server', { main: 'RedisMemoryServer', also: {} }],
])
const WHOLE =
  '{const{__esModule:_,...all}=Object.getOwnPropertyDescriptors(module.exports);' +
  'module.exports=Object.defineProperties(module.exports.default,all)}'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const beside = join(root, 'node_modules/bun/bin/bun.exe')
const command = existsSync(beside) ? beside : 'bun'

rmSync(dist, { recursive: true, force: true })
mkdirSync(dist)
bun(['scripts/library-and-program.mjs', dist])
for (const entry of ENTRIES) {
  if (entry !== 'index') bundle(entry)
  const { text, names } = rolledUp(join(root, `build/src/${entry}.d.ts`))
  const { main, also } = DEFAULTS.get(entry) ?? { also: {} }
  if (main !== undefined) appendFileSync(join(dist, `${entry}.cjs`), `\n${WHOLE}\n`)
  const list = [...names, ...Object.keys(also)].sort().join(', ')
  const whole = main === undefined ? '' : 'export default library\n'
  writeFileSync(
    join(dist, `${entry}.js`),
    `import library from './${entry}.cjs'\n\nexport const { ${list} } = library\n${whole}`,
  )
  const renamed = Object.entries(also).map(([name, of]) => `export { ${of} as ${name} };\n`)
  const types = [text, ...renamed, main === undefined ? '' : `export default ${main};\n`].join('')
  // The default export of a CommonJS module is another one to ES modules: those have the whole text.
  const same = main === undefined ? `export * from './${entry}.cjs';\n` : types
  writeFileSync(join(dist, `${entry}.d.ts`), same)
  writeFileSync(join(dist, `${entry}.d.cts`), types.replaceAll("'./index.js'", "'./index.cjs'"))
}
bundle('worker')

/** An entry beside the library, as one file. */
function bundle(entry) {
  const file = join(dist, `${entry}.cjs`)
  // The library is one file: other entries that need it require that.
  const apart = ['--external=*index.ts', '--external=ioredis', '--external=bun:test']
  bun(['build', `src/${entry}.ts`, '--target=node', '--format=cjs', '--minify', `--outfile=${file}`, ...apart])
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"./index.ts"', '"./index.cjs"'))
}

function bun(args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (result.status === 0) return
  console.error(result.error?.message ?? result.stderr)
  process.exit(1)
}
