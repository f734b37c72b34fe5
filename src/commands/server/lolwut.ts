// LOLWUT: computer art, followed by the version. Version 5 draws after Georg Nees' "Schotter" (1968), version 6 the
// roofs of a town by night; from 7 on it is only the version, as in Redis 7.2.

import type { Command } from '../../engine/catalog/command.ts'
import type { Context } from '../../engine/context.ts'
import { Slice } from '../../lib/slice.ts'

export const lolwutCommands: readonly Command[] = [
  {
    name: 'lolwut',
    arity: -1,
    flags: 'readonly fast',
    since: '5.0.0',
    group: 'server',
    summary: 'Draw a picture in characters, and name the version of Redis that is followed.',
    args: '[VERSION version:integer]',
    run: lolwut,
  },
]

const SIZE_MAX = 1000
const SQUARES_MAX = 200

/** LOLWUT [VERSION version] [arguments of that version ...] */
export function lolwut(ctx: Context): void {
  let version = 7
  let from = 1
  if (ctx.argc >= 3 && ctx.is(1, 'version')) {
    version = ctx.longOrReply(2)
    if (Number.isNaN(version)) return
    from = 3
  }
  const sizes: number[] = []
  for (let i = from; i < ctx.argc && version >= 5 && version <= 6; i++) {
    const size = ctx.longOrReply(i)
    if (Number.isNaN(size)) return
    sizes.push(size)
  }
  const random = () => ctx.server.random() / 0x100000000
  const picture = version === 5 ? schotter(sizes, random) : version === 6 ? town(sizes, random) : ''
  const text = Slice.utf8(`${picture}Redis ver. ${ctx.server.host.version}\n`)
  ctx.reply.verbatim('txt', text.latin1())
}

function bounded(size: number | undefined, initial: number, max: number): number {
  return Math.min(Math.max(size ?? initial, 1), max)
}

/** Rows of squares with increasing disorder. A braille character is two dots wide and four high. */
function schotter(sizes: readonly number[], random: () => number): string {
  const columns = bounded(sizes[0], 66, SIZE_MAX)
  const perRow = bounded(sizes[1], 8, SQUARES_MAX)
  const rows = bounded(sizes[2], 12, SQUARES_MAX)
  const width = columns * 2
  const margin = width > 4 ? 2 : 0
  const side = (width - margin * 2) / perRow
  const height = Math.floor(side * rows + margin * 2)
  const dots = new Dots(width, height)
  for (let row = 0; row < rows; row++) {
    const disorder = row > 1 ? row / rows : 0
    const stray = () => (random() * 2 - 1) * disorder
    for (let column = 0; column < perRow; column++) {
      const angle = stray()
      const x = (column + 0.5) * side + margin + (stray() * side) / 3
      const y = (row + 0.5) * side + margin + (stray() * side) / 3
      dots.square(x, y, side, angle)
    }
  }
  return `${dots.braille()}\nAfter "Schotter", which Georg Nees had a plotter draw in 1968. `
}

class Dots {
  private readonly width: number
  private readonly height: number
  private readonly set: Uint8Array

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.set = new Uint8Array(width * height)
  }

  /** The outline of a square around (x, y), rotated by `angle`. */
  square(x: number, y: number, side: number, angle: number): void {
    const reach = side / Math.SQRT2
    const corner = (i: number) => {
      const turn = Math.PI / 4 + angle + (i * Math.PI) / 2
      return [x + reach * Math.sin(turn), y + reach * Math.cos(turn)]
    }
    for (let i = 0; i < 4; i++) this.line(corner(i), corner(i + 1))
  }

  private line(from: number[], to: number[]): void {
    const steps = Math.ceil(Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]), 1))
    for (let i = 0; i <= steps; i++) {
      const x = Math.round(from[0] + ((to[0] - from[0]) * i) / steps)
      const y = Math.round(from[1] + ((to[1] - from[1]) * i) / steps)
      if (x >= 0 && x < this.width && y >= 0 && y < this.height) this.set[y * this.width + x] = 1
    }
  }

  braille(): string {
    const at = (x: number, y: number) => (x < this.width && y < this.height ? this.set[y * this.width + x] : 0)
    let text = ''
    for (let y = 0; y < this.height; y += 4) {
      for (let x = 0; x < this.width; x += 2) {
        let bits = (at(x, y + 3) << 6) | (at(x + 1, y + 3) << 7)
        for (let i = 0; i < 3; i++) bits |= (at(x, y + i) << i) | (at(x + 1, y + i) << (i + 3))
        text += String.fromCharCode(0x2800 + bits)
      }
      text += '\n'
    }
    return text
  }
}

const SHADES = ['0;30;40m', '0;90;100m', '0;37;47m', '0;97;107m']
const NIGHT = 3
const LAYERS = 3

/** Three rows of houses, the nearest darkest and with lit windows. */
function town(sizes: readonly number[], random: () => number): string {
  const width = bounded(sizes[0], 80, SIZE_MAX)
  const height = bounded(sizes[1], 20, SIZE_MAX)
  const shades = new Uint8Array(width * height).fill(NIGHT)
  for (let layer = 0; layer < LAYERS; layer++) {
    const shade = LAYERS - 1 - layer
    for (let left = -4; left < width; ) {
      const house = 5 + Math.floor(random() * 12)
      const roof = Math.floor(height * (0.15 + 0.2 * layer + random() * 0.35))
      for (let y = roof; y < height; y++)
        for (let x = Math.max(0, left); x < Math.min(width, left + house); x++) {
          const isWindow =
            shade === 0 && y > roof && y % 2 === 0 && x > left && x < left + house - 1 && (x - left) % 3 > 0
          shades[y * width + x] = isWindow && random() < 0.6 ? 1 + Math.floor(random() * 2) : shade
        }
      left += house + Math.floor(random() * 5)
    }
  }
  let text = ''
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) text += `\x1b[${SHADES[shades[y * width + x]]} \x1b[0m`
    text += '\n'
  }
  return `${text}\nDedicated to the towns that lie awake. `
}
