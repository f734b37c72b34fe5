// The settings of a cjson table, and the functions that set them. Each cjson table has its own settings, which persist
// after the script.
//
// Always: arguments before an invalid one take effect.

import { INT_MAX } from '../../lib/bits.ts'
import { cText } from '../../lib/text.ts'
import type { LuaState } from '../lua/state.ts'
import { intArgument, stringArgument } from '../lua/stdlib/arguments.ts'
import type { LuaFunction, LuaValue } from '../lua/value.ts'

const OFF_ON = ['off', 'on']

export interface CjsonConfig {
  /** 1: extremely sparse arrays are written as objects; 0: they are an error. */
  encodeSparseConvert: number
  /** An array is sparse when its last index is more than this many times its elements; 0 allows all. */
  encodeSparseRatio: number
  /** Up to this last index no array is sparse. */
  encodeSparseSafe: number
  encodeDepthMax: number
  decodeDepthMax: number
  /** 0: NaN and infinities are an error; 1: written as C prints them; 2: written as null. */
  encodeInvalidNumbers: number
  /** 1: NaN, infinities, hexadecimal numbers and leading zeros can be read. */
  decodeInvalidNumbers: number
  /** Stored and returned, without effect. */
  encodeKeepBuffer: number
  /** Significant digits. */
  encodePrecision: number
}

export function defaultConfig(): CjsonConfig {
  return {
    encodeSparseConvert: 0,
    encodeSparseRatio: 2,
    encodeSparseSafe: 10,
    encodeDepthMax: 1000,
    decodeDepthMax: 1000,
    encodeInvalidNumbers: 0,
    decodeInvalidNumbers: 1,
    encodeKeepBuffer: 1,
    encodePrecision: 14,
  }
}

type Setting = keyof CjsonConfig

/** The setters, in cjson's order. Each returns the new setting. */
export function configFunctions(S: LuaState, config: CjsonConfig): Record<string, LuaFunction> {
  const integer = (args: LuaValue[], n: number, setting: Setting, min: number, max: number): LuaValue => {
    if (args[n - 1] !== undefined) {
      const value = intArgument(S, args[n - 1], n, args.length)
      // The error always names the first argument.
      if (value < min || value > max) throw S.argumentError(1, `expected integer between ${min} and ${max}`)
      config[setting] = value
    }
    return config[setting]
  }
  const choice = (args: LuaValue[], setting: Setting, options: string[]): LuaValue => {
    const [value] = args
    if (typeof value === 'boolean') config[setting] = value ? 1 : 0
    else if (value !== undefined) {
      const word = cText(stringArgument(S, value, 1, args.length))
      const index = options.indexOf(word)
      if (index < 0) throw S.argumentError(1, `invalid option '${word}'`)
      config[setting] = index
    }
    return config[setting] < 2 ? config[setting] === 1 : options[config[setting]]
  }
  const taking = (countMax: number, f: (args: LuaValue[]) => LuaValue | LuaValue[]): LuaFunction =>
    S.plain((...args: LuaValue[]) => {
      if (args.length > countMax) throw S.argumentError(countMax + 1, 'found too many arguments')
      return f(args)
    })
  return {
    encode_sparse_array: taking(3, args => [
      choice(args, 'encodeSparseConvert', OFF_ON),
      integer(args, 2, 'encodeSparseRatio', 0, INT_MAX),
      integer(args, 3, 'encodeSparseSafe', 0, INT_MAX),
    ]),
    encode_max_depth: taking(1, args => integer(args, 1, 'encodeDepthMax', 1, INT_MAX)),
    decode_max_depth: taking(1, args => integer(args, 1, 'decodeDepthMax', 1, INT_MAX)),
    encode_number_precision: taking(1, args => integer(args, 1, 'encodePrecision', 1, 14)),
    encode_keep_buffer: taking(1, args => choice(args, 'encodeKeepBuffer', OFF_ON)),
    encode_invalid_numbers: taking(1, args => choice(args, 'encodeInvalidNumbers', [...OFF_ON, 'null'])),
    decode_invalid_numbers: taking(1, args => choice(args, 'decodeInvalidNumbers', OFF_ON)),
  }
}
