// StructFormat: iterates over the options of a struct format. Always: `option` and `size` are of the last option read;
// options without alignment have size 0.

import { INT_MAX } from '../../lib/bits.ts'
import type { LuaState } from '../lua/state.ts'

const INTEGER_BYTES_MAX = 32
const INT_BYTES = 4
const ALIGN_MAX = 8
const SIZES: Record<string, number> = { B: 1, b: 1, H: 2, h: 2, L: 8, l: 8, T: 8, f: 4, d: 8, x: 1 }

export class StructFormat {
  isLittle = true
  option = ''
  size = 0
  private align = 1
  private at = 0
  private readonly text: string
  private readonly S: LuaState

  constructor(S: LuaState, text: string) {
    this.S = S
    this.text = text
  }

  /** Reads an option; false at the end or at a NUL. */
  next(): boolean {
    const { text } = this
    if (this.at >= text.length || text[this.at] === '\0') return false
    const option = (this.option = text[this.at++])
    if (option === 'c') this.size = this.number(1)
    else if (option === 'i' || option === 'I') {
      this.size = this.number(INT_BYTES)
      if (this.size > INTEGER_BYTES_MAX)
        throw this.S.error(`integral size ${this.size} is larger than limit of ${INTEGER_BYTES_MAX}`)
    } else this.size = SIZES[option] ?? 0
    return true
  }

  /** Padding bytes at `position` that align the next item. */
  padding(position: number): number {
    if (this.size === 0 || this.option === 'c') return 0
    const size = Math.min(this.size, this.align)
    return (size - (position & (size - 1))) & (size - 1)
  }

  /** Applies an option that has no value. */
  control(): void {
    const { option } = this
    if (option === '>' || option === '<') this.isLittle = option === '<'
    else if (option === '!') {
      const align = this.number(ALIGN_MAX)
      if (align === 0 || (align & (align - 1)) !== 0) throw this.S.error(`alignment ${align} is not a power of 2`)
      this.align = align
    } else if (option !== ' ') throw this.S.argumentError(1, `invalid format option '${option}'`)
  }

  private number(otherwise: number): number {
    const { text } = this
    const from = this.at
    let value = 0
    for (; text[this.at] >= '0' && text[this.at] <= '9'; this.at++) {
      value = value * 10 + Number(text[this.at])
      if (value > INT_MAX) throw this.S.error('integral size overflow')
    }
    return this.at === from ? otherwise : value
  }
}
