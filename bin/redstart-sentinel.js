#!/usr/bin/env node
// `redstart-sentinel FILE`: the same as `redstart FILE --sentinel`.

import process from 'node:process'

process.argv.push('--sentinel')
await import('./redstart.js')
