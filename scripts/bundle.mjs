// Bundles the sources for Bun into build/bun, which starts in two thirds of the time: Bun then reads a few files
// instead of hundreds. Names stay, so that a stack trace can be read; white space and a map, which Bun reads at the
// start wherever it finds one, would cost 5 MB of the server's memory. Without Bun there is nothing to do: bin/redstart
// runs the sources or Node.

import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const beside = join(root, 'node_modules/bun/bin/bun.exe')
const bun = existsSync(beside) ? beside : 'bun'
const out = join(root, 'build/bun')

rmSync(out, { recursive: true, force: true })
const result = spawnSync(
  bun,
  ['build', 'src/main.ts', '--target=bun', '--splitting', '--minify-syntax', '--minify-whitespace', `--outdir=${out}`],
  { cwd: root, encoding: 'utf8' },
)
if (result.error !== undefined) console.log('no Bun: nothing bundled')
else if (result.status !== 0) {
  console.error(result.stderr)
  process.exit(1)
}
