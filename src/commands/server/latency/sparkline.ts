// Sparkline: an ASCII graph with a column per sample and its label vertically below.

interface Sample {
  value: number
  label: string
}

const LEVELS = '_o#'

export function sparkline(samples: readonly Sample[], columns: number, rows: number): string {
  const values = samples.map(sample => sample.value)
  const low = Math.min(...values)
  const range = Math.max(...values) - low || 1
  const parts: string[] = []
  for (let from = 0; from < samples.length; from += columns)
    parts.push(stripe(samples.slice(from, from + columns), low, range, rows))
  return parts.join('\n')
}

function stripe(samples: readonly Sample[], low: number, range: number, rows: number): string {
  const steps = LEVELS.length * rows
  const heights = samples.map(({ value }) => Math.min(steps - 1, Math.trunc(((value - low) * steps) / range)))
  let text = ''
  for (let row = 0; row < rows; row++) {
    const floor = (rows - row - 1) * LEVELS.length
    for (const height of heights) {
      const level = height - floor
      text += level < 0 ? ' ' : (LEVELS[level] ?? '|')
    }
    text += '\n'
  }
  const labelRows = Math.max(...samples.map(({ label }) => label.length))
  if (labelRows > 0) text += `${' '.repeat(samples.length)}\n`
  for (let row = 0; row < labelRows; row++) text += `${samples.map(({ label }) => label[row] ?? ' ').join('')}\n`
  return text
}
