// Bundles the library into index.cjs and the program into main.cjs, with Bun:
//
//   index.cjs   exports of src/index.ts, and `shared`: the modules that the program needs of those in it
//   main.cjs    src/main.ts and the modules that the library has not; the others it takes from `shared`
//
// Always: a module is in one of the two files, never in both.
//
//   bun scripts/library-and-program.mjs FOLDER

import { writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const LIBRARY = './index.cjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = process.argv[2]
const entry = name => join(root, 'src', name)

const inLibrary = new Set()
await bundle(entry('index.ts'), {
  name: 'the modules of the library',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      inLibrary.add(path)
    })
  },
})

const shared = []
const program = await bundle(entry('main.ts'), {
  name: 'modules of the library are not bundled again',
  setup(build) {
    build.onResolve({ filter: /^\./ }, ({ path: link, importer }) => {
      if (link === LIBRARY) return { path: link, external: true }
      const path = resolve(dirname(importer), link)
      return inLibrary.has(path) ? { path, namespace: 'shared' } : undefined
    })
    build.onLoad({ filter: /(?:)/, namespace: 'shared' }, ({ path }) => {
      const contents = `module.exports = require('${LIBRARY}').shared[${shared.push(path) - 1}]`
      return { contents, loader: 'js' }
    })
  },
})
writeFileSync(join(folder, 'main.cjs'), program)

const library = await bundle('library', {
  name: 'the library, and what it shares',
  setup(build) {
    build.onResolve({ filter: /^library$/ }, ({ path }) => ({ path, namespace: 'library' }))
    build.onLoad({ filter: /(?:)/, namespace: 'library' }, () => {
      const modules = shared.map((path, i) => `import * as shared${i} from ${JSON.stringify(path)}\n`)
      const list = shared.map((_, i) => `shared${i}`).join()
      const contents = `export * from ${JSON.stringify(entry('index.ts'))}\n${modules.join('')}export const shared = [${list}]`
      return { contents, loader: 'js' }
    })
  },
})
writeFileSync(join(folder, 'index.cjs'), library)

async function bundle(from, plugin) {
  const options = { target: 'node', format: 'cjs', minify: true }
  const { outputs } = await Bun.build({ entrypoints: [from], plugins: [plugin], ...options })
  return outputs[0].text()
}
