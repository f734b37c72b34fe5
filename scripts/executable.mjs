// One file that is the whole server, its tools and the runtime: build/executable/redstart, 100 MB or so, most of it Bun.
// Linked to the name redstart-sentinel it is a sentinel.
//
//   npm run executable [-- --target bun-linux-arm64]    for another system: bun-windows-x64, bun-darwin-arm64, …-musl

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const beside = join(root, 'node_modules/bun/bin/bun.exe')
const out = join(root, 'build/executable')
const target = process.argv[process.argv.indexOf('--target') + 1]
const asked = process.argv.includes('--target')

mkdirSync(out, { recursive: true })
const result = spawnSync(
  existsSync(beside) ? beside : 'bun',
  [
    'build',
    'src/main.ts',
    '--compile',
    `--target=${asked ? target : 'bun'}`,
    '--minify-syntax',
    '--minify-whitespace',
    // Compiled ahead: the first PONG costs half the processor time, and the text is not parsed.
    '--bytecode',
    '--format=esm',
    // The folder a server is started in is not its project: no .env or bunfig.toml are taken from there.
    '--no-compile-autoload-dotenv',
    '--no-compile-autoload-bunfig',
    `--outfile=${join(out, asked ? `redstart-${target.replace(/^bun-/, '')}` : 'redstart')}`,
  ],
  { cwd: root, stdio: 'inherit' },
)
if (result.error !== undefined) console.error(`Bun is needed: ${result.error.message}`)
process.exitCode = result.status ?? 1
