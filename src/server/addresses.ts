// The addresses of a `bind` directive: '*' and '::*' mean all, and one with a leading '-' may be missing.

export interface BindAddress {
  readonly host: string
  readonly optional: boolean
}

export function addressesOf(bind: readonly string[]): BindAddress[] {
  return bind.map(word => {
    const optional = word.startsWith('-')
    return { host: hostOf(optional ? word.slice(1) : word), optional }
  })
}

function hostOf(word: string): string {
  if (word === '*') return '0.0.0.0'
  return word === '::*' ? '::' : word
}
