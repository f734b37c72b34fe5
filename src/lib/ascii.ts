// Names of ASCII bytes, for parsers of protocols, numbers and patterns.

export const LF = 0x0a
export const CR = 0x0d
export const SPACE = 0x20
export const DOLLAR = 0x24
export const OPEN = 0x28
export const STAR = 0x2a
export const PLUS = 0x2b
/** A sign, or the separator of a stream id or a range. */
export const MINUS = 0x2d
export const POINT = 0x2e
export const ZERO = 0x30
export const COLON = 0x3a
export const BACKSLASH = 0x5c
