// Bundles the library and the program, with Bun:
//
//   index.cjs       exports of src/index.ts, and what every server is made of
//   <part>.cjs      what only some servers need (library-parts.mjs): loaded when one calls it
//   main.cjs        src/main.ts and the modules that the library has not
//
// A part is entered by its doors. In the place of a door the other files have functions that load the part when they are
// called, or, for commands, what is said of them, with handlers that are loaded with a server's first use. What a file
// has and others need besides is in `shared`.
//
// Always: a module is in one of the files, never in two.
//
//   bun scripts/library-and-program.mjs FOLDER

import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { COMMANDS, LATE_BUILTINS, PARTS } from './library-parts.mjs'

/** What a table needs of a command that nobody calls; the other fields are those of the literal in the part. */
const TABLE_FIELDS = new Set([
  'name',
  'arity',
  'flags',
  'keys',
  'keyFinder',
  'group',
  'complexity',
  'acl',
  'channels',
  'subcommands',
])

const src = join(dirname(dirname(fileURLToPath(import.meta.url))), 'src')
const folder = process.argv[2]
const THREAD = JSON.stringify(pathToFileURL(join(src, 'system/thread.ts')).href)
const scanner = new Bun.Transpiler({ loader: 'ts' })
const namesOf = path => scanner.scan(readFileSync(path, 'utf8')).exports

/** The part of each door, by path. */
const doors = new Map(Object.entries(PARTS).flatMap(([part, files]) => files.map(file => [join(src, file), part])))
const ofCommands = new Set(COMMANDS.map(file => join(src, file)))
for (const door of doors.keys())
  if (!ofCommands.has(door) && /^export (?:const|let|var|\*)/m.test(readFileSync(door, 'utf8')))
    throw new Error(`${door} is no door: it exports more than functions and classes`)

const files = await filesOfModules()
/** The modules of each file that others need, in the order of its `shared`. */
const shared = new Map([...Object.keys(PARTS), 'index'].map(file => [file, []]))

// A file comes after those that may need something of it.
await write('main', ['main.ts'])
for (const [part, entries] of Object.entries(PARTS)) await write(part, entries)
await write('index', ['index.ts'])

/** The file of each module of the library: what is reached by the doors of one part alone is in that part. */
async function filesOfModules() {
  const links = new Map()
  await linked(join(src, 'index.ts'), (importer, path) => {
    links.set(importer, [...(links.get(importer) ?? []), path])
  })
  const homes = new Map()
  const reach = (path, file) => {
    const known = homes.get(path)
    if (known === file || known === 'index') return
    homes.set(path, known === undefined ? file : 'index')
    for (const next of links.get(path) ?? []) if (!doors.has(next)) reach(next, homes.get(path))
  }
  reach(join(src, 'index.ts'), 'index')
  for (const [path, part] of doors) reach(path, part)
  return homes
}

/** Tells of each link from a module to another. */
async function linked(from, found) {
  const plugin = {
    name: 'links',
    setup(build) {
      build.onResolve({ filter: /^\..*\.ts$/ }, ({ path, importer }) => {
        found(importer, resolve(dirname(importer), path))
      })
    },
  }
  await Bun.build({ entrypoints: [from], target: 'node', plugins: [plugin] })
}

async function write(file, entries) {
  const options = { target: 'node', format: 'cjs', minify: true }
  const { outputs } = await Bun.build({ entrypoints: ['entry'], plugins: [linksOf(file, entries)], ...options })
  const text = (await outputs[0].text())
    // What is all ASCII is read faster.
    .replace(/[^\0-\x7f]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    // The bundler writes down where a source was; the thread must know where the library is.
    .replace(THREAD, 'require("node:url").pathToFileURL(__filename).href')
  writeFileSync(join(folder, `${file}.cjs`), text)
}

/** Where the modules of one file come from. */
function linksOf(file, entries) {
  const made = {
    entry: () => entryOf(file, entries),
    builtin: path => stubs(LATE_BUILTINS[path], path),
    part: part => `let made\nexport const load = () => (made ??= require('./${part}.cjs'))\n`,
    stub: path => stubs(namesOf(path), doors.get(path), true),
    commands: path => lateCommands(path),
    shared: path => {
      const home = ofCommands.has(path) ? 'index' : files.get(path)
      const list = shared.get(home)
      if (!list.includes(path)) list.push(path)
      return `export const { ${namesOf(path).join()} } = require('./${home}.cjs').shared()[${list.indexOf(path)}]\n`
    },
  }
  /** Where a module of another file is taken from. */
  const placeOf = path => {
    if (ofCommands.has(path)) return file === 'index' ? 'commands' : 'shared'
    return doors.has(path) ? 'stub' : 'shared'
  }
  const setup = build => {
    build.onResolve({ filter: /^\.\/\w+\.cjs$/ }, ({ path }) => ({ path, external: true }))
    build.onResolve({ filter: /^entry$/ }, ({ path }) => ({ path, namespace: 'entry' }))
    build.onResolve({ filter: /^part:/ }, ({ path }) => ({ path: path.slice('part:'.length), namespace: 'part' }))
    build.onResolve({ filter: /^node:/ }, ({ path, importer }) =>
      path in LATE_BUILTINS && importer.startsWith(src) ? { path, namespace: 'builtin' } : undefined,
    )
    build.onResolve({ filter: /^(?:\.|\/).*\.ts$/ }, ({ path: link, importer }) => {
      const path = resolve(dirname(importer), link)
      return (files.get(path) ?? file) === file ? undefined : { path, namespace: placeOf(path) }
    })
    for (const [namespace, text] of Object.entries(made))
      build.onLoad({ filter: /(?:)/, namespace }, async ({ path }) => ({ contents: await text(path), loader: 'js' }))
  }
  return { name: `modules of ${file}`, setup }
}

/** The program has all parts at its start: a server must not stop for one later. */
function entryOf(file, entries) {
  const all = entries.map(one => `export * from ${JSON.stringify(join(src, one))}\n`).join('')
  if (file === 'main')
    return (
      all +
      Object.keys(PARTS)
        .map(part => `require('./${part}.cjs')\n`)
        .join('')
    )
  const paths = shared.get(file) ?? []
  const links = paths.map((path, i) => `import * as s${i} from ${JSON.stringify(path)}\n`).join('')
  const values = paths.map((path, i) => `{${namesOf(path).map(name => `${name}: s${i}.${name}`)}}`)
  return `${all}${links}let made\nexport const shared = () => (made ??= [${values}])\n`
}

/** In the place of functions and classes: functions that load `from` when they are called. */
function stubs(names, from, isPart = false) {
  const load = isPart ? `import { load } from 'part:${from}'\n` : `const load = () => require('${from}')\n`
  const stub = name =>
    `export function ${name}(...args) {\n` +
    `const { ${name}: it } = load()\nreturn new.target ? new it(...args) : it(...args) }\n`
  return load + names.map(stub).join('')
}

async function lateCommands(path) {
  const lists = Object.entries(await import(path)).map(([name, commands]) => {
    const facts = JSON.stringify(commands.map(factsOf)).replaceAll(/[\\']/g, char => `\\${char}`)
    return `export const ${name} = late(JSON.parse('${facts}'), () => load().${name})\n`
  })
  const late = `function late(list, whole) {
    for (const [i, one] of list.entries()) {
      const { late: fields } = one
      delete one.late
      for (const field of fields)
        Object.defineProperty(one, field, { get: () => whole()[i][field], enumerable: true, configurable: true })
      if (one.subcommands !== undefined) late(one.subcommands, () => whole()[i].subcommands)
    }
    return list
  }\n`
  return `import { load } from 'part:${doors.get(path)}'\n${lists.join('')}${late}`
}

function factsOf(command) {
  const fields = Object.keys(command)
  const facts = { late: fields.filter(field => !TABLE_FIELDS.has(field)) }
  for (const field of fields)
    if (TABLE_FIELDS.has(field)) facts[field] = field === 'subcommands' ? command[field].map(factsOf) : command[field]
  return facts
}
