// The math library. random and randomseed are Redis's: a 48-bit linear congruential generator in the state, so that a
// seed gives the same numbers on every machine.

// biome-ignore-all lint/complexity/noArguments: Lua tells a missing argument from nil, and a rest array for every
// call would cost

import { power } from '../arithmetic.ts'
import type { LuaState } from '../state.ts'
import { LuaTable } from '../table.ts'
import type { LuaFunction, LuaValue } from '../value.ts'
import { intArgument, numberArgument, register } from './arguments.ts'
import { Random48 } from './random48.ts'

const RANDOM_MAX = 0x7fffffff

export function openMath(S: LuaState): Random48 {
  const library = new LuaTable(S)
  const random = new Random48()
  S.globals.set('math', library)
  register(library, { ...functionsOfOne(S), ...otherFunctions(S), ...randomFunctions(S, random) })
  library.set('pi', Math.PI)
  library.set('huge', Number.POSITIVE_INFINITY)
  return random
}

function functionsOfOne(S: LuaState): Record<string, LuaFunction> {
  const one = (f: (x: number) => number) =>
    S.plain(function (this: LuaFunction, x) {
      return f(typeof x === 'number' ? x : numberArgument(S, x, 1, arguments.length))
    })
  return {
    abs: one(Math.abs),
    acos: one(Math.acos),
    asin: one(Math.asin),
    atan: one(Math.atan),
    ceil: one(Math.ceil),
    cos: one(Math.cos),
    cosh: one(Math.cosh),
    deg: one(x => x / (Math.PI / 180)),
    exp: one(Math.exp),
    floor: one(Math.floor),
    log: one(Math.log),
    log10: one(Math.log10),
    rad: one(x => x * (Math.PI / 180)),
    sin: one(Math.sin),
    sinh: one(Math.sinh),
    sqrt: one(Math.sqrt),
    tan: one(Math.tan),
    tanh: one(Math.tanh),
  }
}

function otherFunctions(S: LuaState): Record<string, LuaFunction> {
  // The second argument is checked first, the evaluation order of current C compilers.
  const two = (f: (x: number, y: number) => number) =>
    S.plain(function (this: LuaFunction, x, y) {
      const second = numberArgument(S, y, 2, arguments.length)
      return f(numberArgument(S, x, 1, arguments.length), second)
    })
  const extreme = (isBetter: (x: number, best: number) => boolean) =>
    S.plain((...args: LuaValue[]) => {
      let best = numberArgument(S, args[0], 1, args.length)
      for (let i = 1; i < args.length; i++) {
        const x = numberArgument(S, args[i], i + 1, args.length)
        if (isBetter(x, best)) best = x
      }
      return best
    })
  const fmod = two((x, y) => x % y)
  return {
    atan2: two(Math.atan2),
    fmod,
    mod: fmod,
    pow: two(power),
    max: extreme((x, best) => x > best),
    min: extreme((x, best) => x < best),
    ldexp: S.plain(function (this: LuaFunction, x, e) {
      const exponent = intArgument(S, e, 2, arguments.length)
      return scale(numberArgument(S, x, 1, arguments.length), exponent)
    }),
    frexp: S.plain(function (this: LuaFunction, x) {
      return split(numberArgument(S, x, 1, arguments.length))
    }),
    modf: S.plain(function (this: LuaFunction, x) {
      const number = numberArgument(S, x, 1, arguments.length)
      const whole = Math.trunc(number)
      if (number !== number) return [whole, number]
      // The fraction has the sign of the number, also when it is 0.
      const fraction = Number.isFinite(number) ? number - whole : 0
      return [whole, number < 0 || Object.is(number, -0) ? -Math.abs(fraction) : fraction]
    }),
  }
}

function scale(x: number, exponent: number): number {
  // In steps, so that neither the power nor a subnormal intermediate result is rounded.
  const step = Math.max(-1000, Math.min(1000, exponent))
  if (step === exponent) return x * 2 ** step
  return Math.abs(exponent) > 5000 ? x * 2 ** step * 2 ** step * 2 ** step : scale(x * 2 ** step, exponent - step)
}

/** x as m * 2^e with 0.5 <= m < 1. */
function split(x: number): [number, number] {
  if (x === 0 || !Number.isFinite(x)) return [x, 0]
  let e = Math.max(-1023, Math.floor(Math.log2(Math.abs(x))) + 1)
  let m = x * 2 ** -e
  while (Math.abs(m) < 0.5) {
    m *= 2
    e--
  }
  while (Math.abs(m) >= 1) {
    m /= 2
    e++
  }
  return [m, e]
}

function randomFunctions(S: LuaState, random: Random48): Record<string, LuaFunction> {
  return {
    random: S.plain((...args: LuaValue[]) => {
      const r = (random.next() % RANDOM_MAX) / RANDOM_MAX
      if (args.length === 0) return r
      if (args.length > 2) throw S.error('wrong number of arguments')
      const low = args.length === 1 ? 1 : intArgument(S, args[0], 1, args.length)
      const high = intArgument(S, args[args.length - 1], args.length, args.length)
      if (low > high) throw S.argumentError(args.length, 'interval is empty')
      // The width is an int in C and overflows.
      return Math.floor(r * ((high - low + 1) | 0)) + low
    }),
    randomseed: S.plain(function (this: LuaFunction, seed) {
      random.seed(intArgument(S, seed, 1, arguments.length))
      return []
    }),
  }
}
