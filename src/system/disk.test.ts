// One contract, both disks.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { realDisk } from './real-disk.ts'
import { DiskError, type FileSystem } from './system.ts'
import { virtualSystem } from './virtual.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (u8: Uint8Array) => new TextDecoder().decode(u8)
const code = (fn: () => unknown) => {
  try {
    fn()
  } catch (error) {
    assert.ok(error instanceof DiskError)
    return error.code
  }
  return 'no error'
}

function onBoth(name: string, body: (disk: FileSystem, settle: () => void) => void | Promise<void>): void {
  test(`virtual disk: ${name}`, async () => {
    const machine = virtualSystem({ cwd: '/data' })
    await body(machine.disk, () => machine.settle())
  })
  test(`real disk: ${name}`, async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'redstart-disk-'))
    try {
      const disk = realDisk(false)
      disk.chdir(folder)
      await body(disk, () => {})
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  })
}

onBoth('whole files, names and folders', disk => {
  disk.writeFile('a', bytes('one'))
  disk.append('a', bytes('two'))
  assert.equal(text(disk.readFile('a')), 'onetwo')
  disk.mkdir('sub')
  assert.equal(
    code(() => disk.mkdir('sub')),
    'EEXIST',
  )
  disk.rename('a', 'sub/b')
  assert.equal(disk.stat('a'), null)
  assert.equal(disk.stat('sub/b')?.sizeBytes, 6)
  assert.equal(disk.stat('sub')?.isDirectory, true)
  assert.deepEqual(disk.readdir('.'), ['sub'])
  assert.equal(
    code(() => disk.rmdir('sub')),
    'ENOTEMPTY',
  )
  disk.fsyncDir('sub')
  disk.unlink('sub/b')
  disk.rmdir('sub')
  assert.deepEqual(disk.readdir(disk.cwd()), [])
})

onBoth('descriptors read and write where they stand and where they are told', disk => {
  const fd = disk.open('f', 'w')
  disk.write(fd, bytes('..hello'), 2, 5, null)
  disk.write(fd, bytes(' you'), 0, 4, null)
  disk.write(fd, bytes('H'), 0, 1, 0)
  disk.truncate(fd, 7)
  disk.fsync(fd)
  disk.fdatasync(fd)
  assert.equal(disk.fstat(fd).sizeBytes, 7)
  disk.close(fd)
  const again = disk.open('f', 'r')
  const buffer = new Uint8Array(5)
  assert.equal(disk.read(again, buffer, 0, 5, null), 5)
  assert.equal(text(buffer), 'Hello')
  assert.equal(disk.read(again, buffer, 1, 4, null), 2)
  assert.equal(text(buffer), 'H ylo')
  assert.equal(disk.read(again, buffer, 0, 5, null), 0)
  assert.equal(disk.read(again, buffer, 0, 2, 3), 2)
  assert.equal(text(buffer.subarray(0, 2)), 'lo')
  disk.close(again)
})

onBoth('failures carry the C name and text', disk => {
  assert.equal(
    code(() => disk.readFile('none')),
    'ENOENT',
  )
  assert.equal(
    code(() => disk.open('none', 'r+')),
    'ENOENT',
  )
  assert.equal(
    code(() => disk.chdir('none')),
    'ENOENT',
  )
  disk.writeFile('there', bytes(''))
  assert.equal(
    code(() => disk.open('there', 'wx')),
    'EEXIST',
  )
  assert.equal(
    code(() => disk.chdir('there')),
    'ENOTDIR',
  )
  assert.throws(() => disk.unlink('none'), /^DiskError: No such file or directory$/)
})

onBoth('later forms call back afterwards, once', async (disk, settle) => {
  const fd = disk.open('later', 'a')
  const seen: string[] = []
  let allSeen = () => {}
  const end = new Promise<void>(resolve => {
    allSeen = resolve
  })
  const see = (what: string) => {
    if (seen.push(what) === 4) allSeen()
  }
  disk.writeLater(fd, bytes('tail'), 0, 4, null, (error, n) => {
    see(`write ${error} ${n}`)
    disk.fsyncLater(fd, syncError => {
      see(`fsync ${syncError}`)
      disk.closeLater(fd, closeError => see(`close ${closeError}`))
    })
  })
  disk.unlinkLater('none', error => see(`unlink ${error?.code}`))
  assert.deepEqual(seen, [])
  settle()
  await end
  assert.deepEqual(seen.sort(), ['close null', 'fsync null', 'unlink ENOENT', 'write null 4'])
  assert.equal(text(disk.readFile('later')), 'tail')
})

test('a crash loses what was not made durable', () => {
  const { disk } = virtualSystem()
  const fd = disk.open('log', 'a')
  disk.write(fd, bytes('kept'), 0, 4, null)
  disk.fsync(fd)
  disk.fsyncDir('/')
  disk.write(fd, bytes('lost'), 0, 4, null)
  disk.writeFile('unnamed', bytes('x'))
  disk.crash()
  assert.deepEqual(disk.readdir('/'), ['log'])
  assert.equal(text(disk.readFile('log')), 'kept')
  assert.equal(
    code(() => disk.write(fd, bytes('x'), 0, 1, null)),
    'EBADF',
  )
})

test('what is durable stays as it is when the file changes', () => {
  const { disk } = virtualSystem({ cwd: '/data' })
  const changes: ((fd: number) => void)[] = [
    fd => void disk.write(fd, bytes('XY'), 0, 2, 1),
    fd => void disk.write(fd, bytes('more'), 0, 4, 6),
    fd => disk.truncate(fd, 2),
    fd => {
      disk.truncate(fd, 2)
      disk.truncate(fd, 6)
    },
    fd => {
      disk.truncate(fd, 1)
      disk.write(fd, bytes('later than that'), 0, 15, 1)
    },
  ]
  for (const change of changes) {
    const fd = disk.open('file', 'w')
    disk.write(fd, bytes('before'), 0, 6, null)
    disk.fsync(fd)
    disk.fsyncDir('/data')
    change(fd)
    disk.crash()
    assert.equal(text(disk.readFile('file')), 'before')
    const again = disk.open('file', 'r+')
    disk.write(again, bytes('AFTER'), 0, 5, 0)
    assert.equal(text(disk.readFile('file')), 'AFTERe')
    disk.crash()
    assert.equal(text(disk.readFile('file')), 'before')
  }
})

test('a full disk refuses writes', () => {
  const { disk } = virtualSystem()
  disk.failWrites = 'ENOSPC'
  assert.throws(() => disk.append('x', bytes('1')), /No space left on device/)
})
