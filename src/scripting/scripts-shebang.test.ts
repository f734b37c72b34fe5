import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SCRIPT_ALLOW_OOM, SCRIPT_ALLOW_STALE, SCRIPT_NO_WRITES, SCRIPT_UNDECLARED } from './script-engine.ts'
import { readLibraryHead, readScriptHead } from './scripts-shebang.ts'

test('a script without a shebang declares nothing', () => {
  assert.deepEqual(readScriptHead('return 1'), { flags: SCRIPT_UNDECLARED, codeFrom: 0 })
})

test('flags of a script stand in its first line', () => {
  assert.deepEqual(readScriptHead('#!lua\nreturn 1'), { flags: 0, codeFrom: 5 })
  assert.deepEqual(readScriptHead('#!lua flags=no-writes,allow-oom flags=allow-stale\n'), {
    flags: SCRIPT_NO_WRITES | SCRIPT_ALLOW_OOM | SCRIPT_ALLOW_STALE,
    codeFrom: 49,
  })
  assert.deepEqual(readScriptHead('#!lua flags=\n'), { flags: 0, codeFrom: 12 })
  assert.equal(readScriptHead('#!lua flags=no-writes,\n'), 'Unexpected flag in script shebang: ')
  assert.equal(readScriptHead('#!\n'), 'Unexpected engine in script shebang: #!')
})

test('the name of a library stands in its first line', () => {
  assert.deepEqual(readLibraryHead('#!lua name=x\n'), { engineName: 'lua', name: 'x', codeFrom: 12 })
  assert.deepEqual(readLibraryHead('#!LUA NAME="x"\n'), { engineName: 'LUA', name: 'x', codeFrom: 14 })
  assert.equal(readLibraryHead('#!lua name="x\n'), 'Invalid library metadata')
})
