// Makes dist/, the content of the published package, from the sources and the declarations in build/ (npm run build):
//
//   dist/index.cjs        the library as one file, and for each other entry one beside it
//   dist/index.js         the same for `import`: it hands on what index.cjs exports, so that a process that imports and
//                         requires has one library, not two
//   dist/index.d.ts       rolled-up types; .d.cts for `require`
//   dist/program/main.js  the server and the tools, for bin/redstart.js, on Bun and on Node

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolledUp } from './declarations.mjs'

const ENTRIES = ['index', 'ioredis', 'module', 'node-redis', 'upstash']

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const beside = join(root, 'node_modules/bun/bin/bun.exe')
const bun = existsSync(beside) ? beside : 'bun'

rmSync(dist, { recursive: true, force: true })
mkdirSync(dist)
for (const entry of ENTRIES) {
  build([`src/${entry}.ts`, '--target=node', '--format=cjs', '--minify', `--outfile=${join(dist, entry)}.cjs`])
  const { text, names } = rolledUp(join(root, `build/src/${entry}.d.ts`))
  const list = names.sort().join(', ')
  writeFileSync(
    join(dist, `${entry}.js`),
    `import library from './${entry}.cjs'\n\nexport const { ${list} } = library\n`,
  )
  for (const ending of ['d.ts', 'd.cts']) writeFileSync(join(dist, `${entry}.${ending}`), text)
}
// Names of methods stay in the stacks of logs and crash reports, others do not. Bun reads its own output without
// translating it again; Node reads it as any module.
build(['src/main.ts', '--target=bun', '--splitting', '--minify', `--outdir=${join(dist, 'program')}`])

function build(args) {
  const result = spawnSync(bun, ['build', ...args], { cwd: root, encoding: 'utf8' })
  if (result.status === 0) return
  console.error(result.error?.message ?? result.stderr)
  process.exit(1)
}
