#!/usr/bin/env node
// Makes a folder for a new module from template/: npm create redstart-module NAME [FOLDER]

import { cpSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const [name, folder = name] = process.argv.slice(2)
if (name === undefined || !/^[a-z][a-z0-9-]*$/.test(name)) fail('usage: npm create redstart-module NAME [FOLDER]\nNAME is of lower-case letters, digits and -')
const target = resolve(folder)
if (existsSync(target) && readdirSync(target).length > 0) fail(`${target} is not empty`)

cpSync(join(dirname(fileURLToPath(import.meta.url)), 'template'), target, { recursive: true })
// npm leaves files of this name out of packages.
renameSync(join(target, 'gitignore'), join(target, '.gitignore'))
for (const entry of readdirSync(target, { recursive: true })) {
  const file = join(target, String(entry))
  if (statSync(file).isFile()) writeFileSync(file, readFileSync(file, 'utf8').replaceAll('my-module', name))
}
console.log(`${target}\n\n  cd ${folder}\n  npm install\n  npm test`)

function fail(text) {
  console.error(text)
  process.exit(1)
}
