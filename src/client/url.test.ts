import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseServerUrl } from './url.ts'

test('a URL names host, port, user, password and database', () => {
  const url = parseServerUrl('redis://me:s%40cret@db.example:7000/3')!
  assert.deepEqual(url.address, { host: 'db.example', port: 7000 })
  assert.deepEqual([url.user, url.password, url.database], ['me', 's@cret', 3])
  assert.equal(url.text, 'redis://db.example:7000/3')
})

test('what is not said is the usual', () => {
  const url = parseServerUrl('redis://[::1]')!
  assert.deepEqual(url.address, { host: '::1', port: 6379 })
  assert.deepEqual([url.user, url.password, url.database], ['', '', -1])
  assert.equal(parseServerUrl('redis://:pass@h')!.password, 'pass')
})

test('rediss is TLS, unix a socket', () => {
  assert.deepEqual(parseServerUrl('rediss://h:1', { verify: false })!.address.tls, { verify: false })
  const unix = parseServerUrl('unix:///tmp/r.sock?db=2&password=p')!
  assert.equal(unix.address.path, '/tmp/r.sock')
  assert.deepEqual([unix.password, unix.database], ['p', 2])
})

test('what is no URL is none', () => {
  for (const text of ['', 'localhost', 'http://h', 'redis://h:0', 'redis://h:99999', 'redis://h/x', 'redis://%zz@h'])
    assert.equal(parseServerUrl(text), undefined, text)
})
