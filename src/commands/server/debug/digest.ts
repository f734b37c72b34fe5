// Digest: SHA-1 signatures of values and of the whole dataset, Redis's own (DEBUG DIGEST), so that two servers can be
// compared.
//
//   xor(data)   digest ^= SHA1(data)                    order does not matter
//   mix(data)   digest = SHA1(digest ^ SHA1(data))      order matters
//
// Always: values of equal content have equal digests, whatever their encoding.

import type { Database } from '../../../keyspace/database.ts'
import { HashKind } from '../../../keyspace/hash-kind.ts'
import type { Keyspace } from '../../../keyspace/keyspace.ts'
import { ListKind } from '../../../keyspace/list-kind.ts'
import { SetKind } from '../../../keyspace/set-kind.ts'
import { StreamId } from '../../../keyspace/stream-id.ts'
import { StreamKind } from '../../../keyspace/stream-kind.ts'
import { TYPE_HASH, TYPE_LIST, TYPE_SET, TYPE_STREAM, TYPE_STRING, TYPE_ZSET } from '../../../keyspace/types.ts'
import { ZSetKind } from '../../../keyspace/zset-kind.ts'
import { bytesOf } from '../../../lib/bytes.ts'
import { formatAnyDouble } from '../../../lib/double.ts'
import { Sha1 } from '../../../lib/sha1.ts'
import { Slice } from '../../../lib/slice.ts'
import type { Ref } from '../../../memory/arena.ts'

const DIGEST_BYTES = 20
const EXPIRES = bytesOf('!!expire!!')

/** Puts the elements of a value into a digest. */
type Digester = (space: Keyspace, encoding: number, value: Ref, into: Digest) => void

const DIGESTERS: { [type: number]: Digester } = {
  [TYPE_LIST]: list,
  [TYPE_SET]: set,
  [TYPE_ZSET]: sortedSet,
  [TYPE_HASH]: hash,
  [TYPE_STREAM]: stream,
}

/** What digests are made with: SHA-1, or for tests that need very many something quicker. */
export interface DigestHash {
  reset(): DigestHash
  update(u8: Uint8Array, from?: number, to?: number): DigestHash
  /** Writes 20 bytes. */
  digestInto(out: Uint8Array): void
}

class Digest {
  readonly bytes = new Uint8Array(DIGEST_BYTES)
  readonly hash: DigestHash
  private readonly one = new Uint8Array(DIGEST_BYTES)

  constructor(hash: DigestHash) {
    this.hash = hash
  }

  clear(): this {
    this.bytes.fill(0)
    return this
  }

  xor(u8: Uint8Array, from = 0, to = u8.length): void {
    this.hash.reset().update(u8, from, to).digestInto(this.one)
    for (let i = 0; i < DIGEST_BYTES; i++) this.bytes[i] ^= this.one[i]
  }

  mix(u8: Uint8Array, from = 0, to = u8.length): void {
    this.xor(u8, from, to)
    this.hash.reset().update(this.bytes).digestInto(this.bytes)
  }

  mixSlice(s: Slice): void {
    this.mix(s.u8, s.off, s.off + s.len)
  }

  hex(): string {
    return [...this.bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')
  }
}

/** Adds a value to a digest. */
function addValue(space: Keyspace, db: Database, entry: Ref, into: Digest): void {
  const type = db.typeOf(entry)
  into.mix(bigEndian(type))
  if (type === TYPE_STRING) into.mixSlice(db.stringOf(entry, new Slice()))
  else DIGESTERS[type]?.(space, db.encodingOf(entry), db.valueOf(entry), into)
  if (db.expiryOf(entry) >= 0) into.xor(EXPIRES)
}

function bigEndian(n: number): Uint8Array {
  return Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n)
}

function list(space: Keyspace, encoding: number, value: Ref, into: Digest): void {
  const kind = ListKind.of(space)
  const one = kind.first.open(encoding, value)
  one.seek(0, true)
  while (one.next(kind.element)) into.mixSlice(kind.element.text())
}

function set(space: Keyspace, encoding: number, value: Ref, into: Digest): void {
  const kind = SetKind.of(space)
  const one = kind.first.open(encoding, value)
  one.rewind()
  while (one.next(kind.element)) {
    const { u8, off, len } = kind.element.text()
    into.xor(u8, off, off + len)
  }
}

function hash(space: Keyspace, encoding: number, value: Ref, into: Digest): void {
  const kind = HashKind.of(space)
  const one = kind.first.open(encoding, value)
  const element = new Digest(into.hash)
  one.rewind()
  while (one.next(kind.field, kind.text)) {
    element.clear().mixSlice(kind.field.text())
    element.mixSlice(kind.text.text())
    into.xor(element.bytes)
  }
}

function sortedSet(space: Keyspace, encoding: number, value: Ref, into: Digest): void {
  const kind = ZSetKind.of(space)
  const one = kind.first.open(encoding, value)
  const element = new Digest(into.hash)
  for (let more = one.seekRank(0, kind.cursor); more; more = one.next(kind.cursor)) {
    element.clear().mixSlice(kind.cursor.member)
    element.mix(bytesOf(formatAnyDouble(kind.cursor.score)))
    into.xor(element.bytes)
  }
}

function stream(space: Keyspace, _encoding: number, value: Ref, into: Digest): void {
  const kind = StreamKind.of(space)
  const { tree } = kind.stream.open(value)
  const it = kind.iterator.start(tree, new StreamId(), new StreamId().setMax(), false)
  while (it.next()) {
    into.mix(bytesOf(it.id.toString().replace('-', '.')))
    for (let left = it.fields; left > 0; left--) {
      it.nextField()
      into.mixSlice(it.field)
      into.mixSlice(it.value)
    }
  }
}

/** The digest of one value in 40 hexadecimal digits; zeros for a key that does not exist (entry 0). */
export function valueDigest(space: Keyspace, db: Database, entry: Ref): string {
  const digest = new Digest(new Sha1())
  if (entry !== 0) addValue(space, db, entry, digest)
  return digest.hex()
}

/** The digest of all databases. */
export function datasetDigest(space: Keyspace, hash: DigestHash = new Sha1()): string {
  const all = new Digest(hash)
  const one = new Digest(hash)
  const key = new Slice()
  for (const db of space.databases) {
    if (db.size === 0) continue
    all.mix(bigEndian(db.index))
    let cursor = 0
    do {
      cursor = db.scan(cursor, entry => {
        one.clear().mixSlice(db.keyOf(entry, key))
        addValue(space, db, entry, one)
        all.xor(one.bytes)
      })
    } while (cursor !== 0)
  }
  return all.hex()
}
