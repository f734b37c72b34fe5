// bin/redstart in a simulated package whose runtimes are scripts that print how they were called.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const skip = process.platform === 'win32' ? 'bin/redstart.cmd is for Windows' : false

const here = path.dirname(fileURLToPath(import.meta.url))
const launcher = [here, path.dirname(here)].map(folder => path.join(folder, '../bin/redstart')).find(fs.existsSync)!

/** An installed package, <folder>/node_modules/redstart, with additions by `prepare`. */
function inPackage(
  prepare: (root: string, folder: string) => void,
  body: (run: Run, root: string, folder: string) => void,
) {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'redstart-bin-')))
  const root = path.join(folder, 'node_modules/redstart')
  try {
    fs.mkdirSync(path.join(root, 'bin'), { recursive: true })
    fs.mkdirSync(path.join(folder, 'node_modules/.bin'))
    fs.copyFileSync(launcher, path.join(root, 'bin/redstart'))
    fs.symlinkSync('../redstart/bin/redstart', path.join(folder, 'node_modules/.bin/redstart'))
    prepare(root, folder)
    body(
      (args, env = {}) => {
        const command = path.join(folder, 'node_modules/.bin/redstart')
        const result = spawnSync(command, args, { env: { PATH: '/usr/bin:/bin', ...env }, encoding: 'utf8', cwd: '/' })
        return `${result.stdout}${result.stderr}`
      },
      root,
      folder,
    )
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

type Run = (args: string[], env?: { [name: string]: string }) => string

function script(file: string, says: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, `#!/bin/sh\necho ${says} "$#" "$@"\n`, { mode: 0o755 })
}

test('Bun beside the package runs the sources, with the words as they are', { skip }, () => {
  inPackage(
    (_, folder) => script(path.join(folder, 'node_modules/bun/bin/bun.exe'), 'bun'),
    (run, root) => {
      const flags = `--no-install --no-env-file --config=${root}/bin/bunfig.toml`
      assert.equal(run(['--save', '', 'a  b']), `bun 7 ${flags} ${root}/src/main.ts --save  a  b\n`)
    },
  )
})

test('Bun gets the bundle of the package', { skip }, () => {
  inPackage(
    (root, folder) => {
      script(path.join(folder, 'node_modules/bun/bin/bun.exe'), 'bun')
      fs.mkdirSync(path.join(root, 'build/bun'), { recursive: true })
      fs.writeFileSync(path.join(root, 'build/bun/main.js'), '')
    },
    (run, root) => assert.match(run([]), new RegExp(`${root}/build/bun/main\\.js\n$`)),
  )
})

test('in a checkout, Bun gets the bundle only while it is as new as the sources', { skip }, () => {
  inPackage(
    (root, folder) => {
      script(path.join(folder, 'node_modules/bun/bin/bun.exe'), 'bun')
      fs.mkdirSync(path.join(root, 'src/net'), { recursive: true })
      for (const file of ['src/main.ts', 'src/net/bun.ts', 'tsconfig.build.json'])
        fs.writeFileSync(path.join(root, file), '')
      fs.mkdirSync(path.join(root, 'build/bun'), { recursive: true })
      fs.writeFileSync(path.join(root, 'build/bun/main.js'), '')
      fs.utimesSync(path.join(root, 'src/main.ts'), 1000, 1000)
      fs.utimesSync(path.join(root, 'src/net/bun.ts'), 1000, 1000)
    },
    (run, root) => {
      assert.match(run([]), /\/build\/bun\/main\.js\n$/)
      fs.utimesSync(path.join(root, 'src/net/bun.ts'), 4e9, 4e9)
      assert.match(run([]), /\/src\/main\.ts\n$/)
    },
  )
})

test('without Bun there, the one on the PATH, or the one that is named', { skip }, () => {
  inPackage(
    (_, folder) => script(path.join(folder, 'path/bun'), 'path-bun'),
    (run, _, folder) => {
      assert.match(run([], { PATH: `${folder}/path:/usr/bin:/bin` }), /^path-bun 4 /)
      script(path.join(folder, 'other'), 'named')
      assert.match(run([], { REDSTART_BUN: `${folder}/other` }), /^named 4 /)
    },
  )
})

test('Node runs what was built, and says what to do when nothing was', { skip }, () => {
  inPackage(
    (_, folder) => script(path.join(folder, 'node'), 'node'),
    (run, root, folder) => {
      const env = { REDSTART_RUNTIME: 'node', REDSTART_NODE: `${folder}/node` }
      assert.match(run(['x'], env), /there is no build\/ to run on Node: run 'npm install && npm run build'/)
      fs.mkdirSync(path.join(root, 'build/src'), { recursive: true })
      fs.writeFileSync(path.join(root, 'build/src/main.js'), '')
      assert.equal(run(['x'], env), `node 3 --v8-pool-size=1 ${root}/build/src/main.js x\n`)
    },
  )
})

test('in a checkout, Node gets a build that is up to date', { skip }, () => {
  inPackage(
    root => {
      fs.mkdirSync(path.join(root, 'src'))
      fs.writeFileSync(path.join(root, 'src/main.ts'), '')
      fs.writeFileSync(path.join(root, 'tsconfig.build.json'), '{}')
      const tsc = path.join(root, 'node_modules/.bin/tsc')
      script(tsc, 'tsc')
      fs.appendFileSync(tsc, 'mkdir -p build/src && : > build/src/main.js\n')
    },
    (run, _, folder) => {
      script(path.join(folder, 'node'), 'node')
      const env = { REDSTART_RUNTIME: 'node', REDSTART_NODE: `${folder}/node` }
      assert.match(run([], env), /^node 2 [\s\S]*tsc 2 -p tsconfig\.build\.json\n$/)
      assert.match(run([], env), /^node 2 [^\n]*\n$/)
    },
  )
})

test('a runtime it does not know is refused', { skip }, () => {
  inPackage(
    () => {},
    run => {
      assert.equal(
        run([], { REDSTART_RUNTIME: 'deno' }),
        "redstart: REDSTART_RUNTIME is 'deno': it may be bun or node.\n",
      )
    },
  )
})
