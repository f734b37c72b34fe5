// Progress: one line on standard error with the progress of a tool; nothing when that is not a terminal.
//
//   checking [############............]  50%  1.2 GiB of 2.4 GiB, 12 s left

import { complain, type Machine } from './command-line.ts'

const REDRAW_US = 100_000
const BAR_CHARS = 24

export class Progress {
  private readonly machine: Machine
  private readonly label: string
  private readonly total: number
  private readonly show: (n: number) => string
  private readonly startUs: number
  private drawnUs = Number.NEGATIVE_INFINITY
  private drawn = false

  /** `total`: the total amount, 0 when unknown. `show`: an amount as text. */
  constructor(machine: Machine, label: string, total: number, show: (n: number) => string = bytesText) {
    this.machine = machine
    this.label = label
    this.total = total
    this.show = show
    this.startUs = machine.clock.monotonicUs()
  }

  /** Progress so far. Cheap: most calls draw nothing. */
  update(done: number): void {
    const nowUs = this.machine.clock.monotonicUs()
    if (nowUs - this.drawnUs < REDRAW_US) return
    this.drawnUs = nowUs
    if (!this.machine.process.stderrIsTerminal()) return
    this.drawn = true
    complain(this.machine, `\r${this.line(done, nowUs - this.startUs)}\x1b[K`)
  }

  private line(done: number, elapsedUs: number): string {
    const { label, total, show } = this
    if (total <= 0) return `${label}  ${show(done)}`
    const share = Math.min(1, done / total)
    const bar = '#'.repeat(Math.floor(share * BAR_CHARS)).padEnd(BAR_CHARS, '.')
    const left = share > 0.01 ? `, ${Math.ceil((elapsedUs / 1e6) * (1 / share - 1))} s left` : ''
    const percent = String(Math.floor(share * 100)).padStart(3)
    return `${label} [${bar}] ${percent}%  ${show(done)} of ${show(total)}${left}`
  }

  /** Erases the line. */
  end(): void {
    if (this.drawn) complain(this.machine, '\r\x1b[K')
    this.drawn = false
    this.drawnUs = Number.NEGATIVE_INFINITY
  }
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB']

/** An amount of bytes, rounded for people. */
export function bytesText(n: number): string {
  if (n < 1024) return `${n} bytes`
  let unit = -1
  let amount = n
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024
    unit++
  }
  return `${amount.toFixed(1)} ${UNITS[unit]}`
}

/** A count, formatted for people. */
export function countText(n: number): string {
  return n.toLocaleString('en-US')
}
