// Prints the file that npm makes on Windows for the command.

const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const { bin } = require('redstart/package.json')
const target = join(__dirname, 'node_modules/redstart', bin.redstart)
const made = join(__dirname, 'shims/redstart')
Promise.resolve(import('cmd-shim'))
  .then(({ default: shim }) => shim(target, made))
  .then(() => console.log(readFileSync(`${made}.cmd`, 'latin1')))
