// SlotTags: for each slot a word of three letters or digits that hashes to it.
//
// The CRC16 of a word is the XOR of those of its letters, each in its place among zero bytes. So for two letters the
// third is looked up instead of tried.

import { crc16 } from '../lib/crc16.ts'
import { SLOTS } from './bitmap.ts'

const LETTERS = new TextEncoder().encode('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')

export class SlotTags {
  private readonly first = partsAt(0)
  private readonly second = partsAt(1)
  /** The third letter by its part; 0: none has it. */
  private readonly thirds = new Uint8Array(SLOTS)

  constructor() {
    for (const [i, part] of partsAt(2).entries()) this.thirds[part] = LETTERS[i]
  }

  tagOf(slot: number): string {
    for (const [i, first] of this.first.entries())
      for (const [j, second] of this.second.entries()) {
        const third = this.thirds[slot ^ first ^ second]
        if (third !== 0) return String.fromCharCode(LETTERS[i], LETTERS[j], third)
      }
    throw new Error(`no word of three letters has slot ${slot}`)
  }
}

/** What each letter in this place of a word contributes to its slot. */
function partsAt(place: number): number[] {
  return Array.from(LETTERS, letter => {
    const word = new Uint8Array(3)
    word[place] = letter
    return crc16(word, 0, word.length) % SLOTS
  })
}
