// Digest: SHA-1 digests of values and of the whole dataset, Redis's own (DEBUG DIGEST), so that two servers can be
// compared. A value's type feeds its contents (ValueType.digest).
//
//   xor(data)   digest ^= SHA1(data)                    order does not matter
//   mix(data)   digest = SHA1(digest ^ SHA1(data))      order matters
//
// Always: values of equal content have equal digests, whatever their encoding.

import { bytesOf, hexOf } from '../lib/bytes.ts'
import { Sha1 } from '../lib/sha1.ts'
import { Slice } from '../lib/slice.ts'
import type { Ref } from '../memory/arena.ts'
import type { Keyspace } from './keyspace.ts'

const DIGEST_BYTES = 20
const EXPIRES = bytesOf('!!expire!!')

/** The hash function: SHA-1, or for tests with very many digests a faster one. */
export interface DigestHash {
  reset(): DigestHash
  update(u8: Uint8Array, from?: number, to?: number): DigestHash
  /** Writes 20 bytes. */
  digestInto(out: Uint8Array): void
}

/** A digest being computed. */
export class Digest {
  readonly bytes = new Uint8Array(DIGEST_BYTES)
  readonly hash: DigestHash
  private readonly one = new Uint8Array(DIGEST_BYTES)

  constructor(hash: DigestHash) {
    this.hash = hash
  }

  /** An empty one with the same hash: for elements whose parts are combined first. */
  another(): Digest {
    return new Digest(this.hash)
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
    return hexOf(this.bytes)
  }
}

/** Adds a value to a digest. */
function addValue(space: Keyspace, entry: Ref, into: Digest): void {
  const { entries, types } = space
  const type = types.of(entries.typeOf(entry))
  into.mix(bigEndian(type.id))
  const whole = entries.isCold(entry) ? entries.cold!.borrow(entry) : entry
  type.digest(entries, whole, into)
  if (whole !== entry) entries.freeEntry(whole)
  if (entries.expiryOf(entry) >= 0) into.xor(EXPIRES)
}

function bigEndian(n: number): Uint8Array {
  return Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n)
}

/** The digest of one value in 40 hexadecimal digits; zeros for a key that does not exist (entry 0). */
export function valueDigest(space: Keyspace, entry: Ref): string {
  const digest = new Digest(new Sha1())
  if (entry !== 0) addValue(space, entry, digest)
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
        one.clear().mixSlice(space.entries.keyOf(entry, key))
        addValue(space, entry, one)
        all.xor(one.bytes)
      })
    } while (cursor !== 0)
  }
  return all.hex()
}
