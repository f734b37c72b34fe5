// Slices between hostile neighbours: a reader's result must not depend on the bytes before and after its slice.
//
//   alone     [ - ]                    in the middle    [ 1 - . x - 0 0 7 … ]
//                                                             ^off
//
// The guarded slice throws when a byte outside of it is read, even where that would not change the result.

import assert from 'node:assert/strict'
import { Slice } from '../../src/lib/slice.ts'

/** Bytes placed before and after a slice. */
const NEIGHBOURS = [
  '0000000000000000',
  '1111111111111111',
  '9999999999999999',
  '----------------',
  '-9223372036854775808',
  '++++++++++++++++',
  '\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n',
  '\r\n$1\r\n0\r\n$1\r\n1',
  '""""""""""""""""',
  "''''''''''''''''",
  '\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\',
  '\\x00\\x00\\x00\\x00',
  'x41x41x41x41x41x',
  '................',
  'e5e5e5e5e5e5e5e5',
  'p1p1p1p1p1p1p1p1',
  '0x10x10x10x10x10',
  'infinityinfinity',
  'nfinityinfinityi',
  '*[^a-z]*[^a-z]*?',
  ']]]]]]]]}}}}}}}}',
  '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff',
  '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0',
  '                ',
] as const

export type Answer = string | number | bigint | boolean | undefined

/** A reader with a comparable result. */
export type Read = (s: Slice) => Answer

/** Runs each reader on `text` alone, between all neighbours, and under the guard. */
export function assertReadsOnlyItsSlice(readers: { readonly [name: string]: Read }, text: string): void {
  const guarded = guardedSlice(text)
  const alone = Slice.of(text)
  const between = NEIGHBOURS.map(around => new Slice(Slice.of(around + text + around).u8, around.length, text.length))
  for (const name in readers) {
    const read = readers[name]
    const wanted = read(alone)
    let got: Answer
    try {
      got = read(guarded)
    } catch (error) {
      if (!(error instanceof OutsideError)) throw error
      assert.fail(`${name} of ${JSON.stringify(text)}: ${error.message}`)
    }
    if (!Object.is(got, wanted)) differs(name, text, 'under guard', wanted, got)
    for (let i = 0; i < between.length; i++) {
      got = read(between[i])
      if (!Object.is(got, wanted)) differs(name, text, `between ${JSON.stringify(NEIGHBOURS[i])}`, wanted, got)
    }
  }
}

function differs(name: string, text: string, where: string, wanted: Answer, got: Answer): never {
  assert.fail(`${name} of ${JSON.stringify(text)} is ${String(wanted)} alone, ${String(got)} ${where}`)
}

/** Every text over `alphabet` of up to `length` chars. */
export function* textsOver(alphabet: string, length: number): Generator<string> {
  yield ''
  if (length === 0) return
  for (const text of textsOver(alphabet, length - 1)) for (const c of alphabet) yield text + c
}

/** A random text of up to `length` chars from `alphabet`. */
export function textFrom(random: (n: number) => number, alphabet: string, length: number): string {
  let text = ''
  for (let left = random(length + 1); left > 0; left--) text += alphabet[random(alphabet.length)]
  return text
}

// ---- the guard ----

class OutsideError extends Error {}

const GUARD_BYTES = 32

/** Guarded buffers: what is inside them, and their check. */
const guarded = new WeakMap<Uint8Array, { target: Uint8Array; check: (at: number, bytes: number) => void }>()

// The runtime's own method does not take a Proxy.
const { prototype } = Buffer
const { latin1Slice } = prototype as unknown as { latin1Slice(start: number, end: number): string }
Object.assign(prototype, {
  latin1Slice(this: Uint8Array, start: number, end: number): string {
    const guard = guarded.get(this)
    if (guard !== undefined && start < end) guard.check(start, end - start)
    return latin1Slice.call(guard?.target ?? this, start, end)
  },
})

/** A slice of `text` whose buffer allows reading no other byte. */
export function guardedSlice(text: string): Slice {
  const padding = '7'.repeat(GUARD_BYTES)
  const { u8 } = Slice.of(padding + text + padding)
  const from = GUARD_BYTES
  const to = from + text.length
  const check = (at: number, bytes: number) => {
    if (at < from || at + bytes > to) throw new OutsideError(`byte ${at - from} is read, of ${text.length}`)
  }
  const bytes = new Proxy(u8, {
    get(target, name) {
      if (typeof name === 'string' && /^-?\d+$/.test(name)) {
        check(Number(name), 1)
        return target[Number(name)]
      }
      if (name === 'subarray' || name === 'slice') {
        return (start: number, end: number) => {
          if (start < end) check(start, end - start)
          return target[name](start, end)
        }
      }
      if (name === 'length') return target.length
      throw new OutsideError(`${String(name)} is used`)
    },
  })
  guarded.set(bytes, { target: u8, check })
  return new Slice(bytes, from, text.length, guardedView(u8, check))
}

/** A view that throws on reads outside of the slice, and on any write. */
function guardedView(u8: Uint8Array, check: (at: number, bytes: number) => void): DataView {
  return new Proxy(new DataView(u8.buffer, u8.byteOffset, u8.byteLength), {
    get(target, name) {
      const bits = typeof name === 'string' ? /^get\D+(\d+)$/.exec(name) : null
      if (!bits) throw new OutsideError(`${String(name)} is used`)
      return (at: number, little?: boolean) => {
        check(at, Number(bits[1]) / 8)
        return target[name as 'getInt32'](at, little)
      }
    },
  })
}
