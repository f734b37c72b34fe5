// Durations of a program: milliseconds, or text: '7d', '1h', '90m', '30s', '250ms', and several together: '1h30m'.

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
  ['w', 604_800_000],
])

export type Duration = number | string

/** Milliseconds; throws a TypeError for what is no duration. */
export function durationMs(duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : textMs(duration)
  if (!Number.isFinite(ms) || ms < 0) throw new TypeError(`not a duration: ${JSON.stringify(duration)}`)
  return ms
}

function textMs(text: string): number {
  let ms = 0
  let at = 0
  while (at < text.length) {
    const from = at
    while ((text[at] >= '0' && text[at] <= '9') || text[at] === '.') at++
    const unitFrom = at
    while (text[at] >= 'a' && text[at] <= 'z') at++
    const unitMs = UNIT_MS.get(text.slice(unitFrom, at))
    if (unitFrom === from || unitMs === undefined) return Number.NaN
    ms += Number(text.slice(from, unitFrom)) * unitMs
  }
  return text === '' ? Number.NaN : ms
}
