// GeoHash: coordinates as 52-bit integers, exact in a sorted set's score, with near places mostly near each other.
//
//   a place   longitude and latitude, each scaled to 26 bits, interleaved:  … lon1 lat1 lon0 lat0
//   a cell    (step, column, row): the world divided into 2^step columns and rows; its places have the scores from
//             cellScore(column, row) up to, but excluding, the next cell's
//
// Source of the scheme and its constants: Redis's geo commands, which must agree to the last bit.

import { TWO_32 } from '../../lib/bits.ts'

export const LONGITUDE_MAX = 180
export const LATITUDE_MAX = 85.05112878
const STEP_MAX = 26
/** Size of the finest cells, as a fraction of the world; a power of two, so that multiplying is exact. */
const CELL = 2 ** -STEP_MAX
const EARTH_RADIUS_M = 6372797.560856
const MERCATOR_MAX_M = 20037726.37
const RADIANS = Math.PI / 180
const ALPHABET = '0123456789bcdefghjkmnpqrstuvwxyz'

export interface Place {
  longitude: number
  latitude: number
}

/** The score of a place within the limits above. */
export function scoreOfPlace(longitude: number, latitude: number): number {
  return interleave(columnOf(longitude, STEP_MAX), rowOf(latitude, STEP_MAX))
}

/** The center of the cell of a score. */
export function placeOfScore(score: number, out: Place): Place {
  let high: number
  let low: number
  if (score >= 0 && score < 2 ** 63) {
    high = Math.floor(score / TWO_32)
    low = score >>> 0
  } else {
    // The conversion of such a double to an unsigned integer on x86-64.
    const whole = score >= 2 ** 64 ? 0n : score < -(2 ** 63) ? 2n ** 63n : BigInt(Math.trunc(score))
    const bits = BigInt.asUintN(64, whole)
    high = Number(bits >> 32n)
    low = Number(bits & 0xffffffffn)
  }
  const row = squeeze(high) * 0x10000 + squeeze(low)
  const column = squeeze(high >>> 1) * 0x10000 + squeeze(low >>> 1)
  const west = -LONGITUDE_MAX + column * CELL * (LONGITUDE_MAX * 2)
  const east = -LONGITUDE_MAX + (column + 1) * CELL * (LONGITUDE_MAX * 2)
  const south = -LATITUDE_MAX + row * CELL * (LATITUDE_MAX * 2)
  const north = -LATITUDE_MAX + (row + 1) * CELL * (LATITUDE_MAX * 2)
  const longitude = (west + east) / 2
  const latitude = (south + north) / 2
  out.longitude = Math.min(LONGITUDE_MAX, Math.max(-LONGITUDE_MAX, longitude))
  out.latitude = Math.min(LATITUDE_MAX, Math.max(-LATITUDE_MAX, latitude))
  return out
}

/** The standard geohash of eleven characters, whose latitudes range from -90 to 90. */
export function geohashText(longitude: number, latitude: number): string {
  const column = Math.floor(((longitude + 180) / 360) * 2 ** STEP_MAX)
  const row = Math.floor(((latitude + 90) / 180) * 2 ** STEP_MAX)
  const bits = interleave(column, row)
  let text = ''
  for (let i = 1; i <= 10; i++) text += ALPHABET[Math.floor(bits / 2 ** (52 - i * 5)) % 32]
  return `${text}0` // 52 bits are ten characters and a fraction
}

/** Meters along a great circle. */
export function distanceMeters(lon1: number, lat1: number, lon2: number, lat2: number): number {
  const v = Math.sin((lon2 * RADIANS - lon1 * RADIANS) / 2)
  if (v === 0) return latitudeMeters(lat1, lat2)
  const lat1r = lat1 * RADIANS
  const lat2r = lat2 * RADIANS
  const u = Math.sin((lat2r - lat1r) / 2)
  return 2 * EARTH_RADIUS_M * Math.asin(Math.sqrt(u * u + Math.cos(lat1r) * Math.cos(lat2r) * v * v))
}

function latitudeMeters(lat1: number, lat2: number): number {
  return EARTH_RADIUS_M * Math.abs(lat2 * RADIANS - lat1 * RADIANS)
}

/** The area of a search: a circle, or a box with sides along the meridians, around a place. Lengths in meters. */
export interface Shape {
  longitude: number
  latitude: number
  box: boolean
  radius: number
  width: number
  height: number
}

/** Meters from the center of the shape to a place, or -1 when it is outside. */
export function distanceWithin(shape: Shape, place: Place): number {
  const { longitude, latitude } = shape
  if (shape.box) {
    if (latitudeMeters(place.latitude, latitude) > shape.height / 2) return -1
    if (distanceMeters(place.longitude, place.latitude, longitude, place.latitude) > shape.width / 2) return -1
  }
  const distance = distanceMeters(longitude, latitude, place.longitude, place.latitude)
  return !shape.box && distance > shape.radius ? -1 : distance
}

/** How far a shape extends from its center in degrees, rounded up. */
interface Reach {
  longitude: number
  latitude: number
}

/** Degrees, a tenth of a millimeter: more than the rounding error of distances. */
const SLACK = 1e-9

export function reachOf(shape: Shape): Reach {
  const middle = Math.abs(shape.latitude) * RADIANS
  const height = (shape.box ? shape.height / 2 : shape.radius) / EARTH_RADIUS_M
  const latitude = height / RADIANS + SLACK
  // All meridians meet at a pole.
  if (!(middle + height < Math.PI / 2)) return { longitude: 360, latitude }
  const sine = shape.box
    ? Math.sin(Math.min(Math.PI / 2, shape.width / 4 / EARTH_RADIUS_M)) / Math.cos(middle + height)
    : Math.sin(height) / Math.cos(middle)
  const angle = Math.asin(Math.min(1, sine)) * (shape.box ? 2 : 1)
  return { longitude: angle / RADIANS + SLACK, latitude }
}

/** A cheap test: true only when a place is certainly outside of the shape. */
export function isBeyond(reach: Reach, shape: Shape, place: Place): boolean {
  if (Math.abs(place.latitude - shape.latitude) > reach.latitude) return true
  const degrees = Math.abs(place.longitude - shape.longitude)
  return Math.min(degrees, 360 - degrees) > reach.longitude
}

/** Scores from `min` up to, but excluding, `max`. */
interface ScoreRange {
  min: number
  max: number
}

// The center cell and its neighbours as (columns east, rows north), in search order.
const AROUND: readonly (readonly [east: number, north: number])[] = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
]

/** Ranges of scores that include every place within the shape, in search order. */
export function rangesAround(shape: Shape): ScoreRange[] {
  const bounds = boundingBox(shape)
  const reach = shape.box ? Math.sqrt((shape.width / 2) ** 2 + (shape.height / 2) ** 2) : shape.radius
  let step = stepsFor(reach, shape.latitude)
  if (step > 1 && !coversWithNeighbours(shape, step, bounds)) step--
  const column = columnOf(shape.longitude, step)
  const row = rowOf(shape.latitude, step)
  const cells = 2 ** step
  const scale = 2 ** (52 - step * 2)
  const ranges: ScoreRange[] = []
  let lastX = -1
  let lastY = -1
  for (const [east, north] of AROUND) {
    if (step >= 2) {
      if (north < 0 && southOf(row, step) < bounds.south) continue
      if (north > 0 && southOf(row + 1, step) > bounds.north) continue
      if (east < 0 && westOf(column, step) < bounds.west) continue
      if (east > 0 && westOf(column + 1, step) > bounds.east) continue
    }
    const x = neighbour(column, east, cells)
    const y = neighbour(row, north, cells)
    // With few cells neighbours coincide. As in Redis only the previous one is compared, and never the first.
    if (x === lastX && y === lastY) continue
    if (east !== 0 || north !== 0) {
      lastX = x
      lastY = y
    }
    const bits = interleave(x, y)
    ranges.push({ min: bits * scale, max: (bits + 1) * scale })
  }
  return ranges
}

interface Bounds {
  west: number
  east: number
  south: number
  north: number
}

function boundingBox(shape: Shape): Bounds {
  const { longitude, latitude } = shape
  const height = shape.box ? shape.height / 2 : shape.radius
  const width = shape.box ? shape.width / 2 : shape.radius
  const north = height / EARTH_RADIUS_M / RADIANS
  // The edge nearer to the equator would be the shorter one in degrees; Redis uses the one nearer to the pole.
  const edge = latitude < 0 ? latitude - north : latitude + north
  const east = width / EARTH_RADIUS_M / Math.cos(edge * RADIANS) / RADIANS
  return { west: longitude - east, east: longitude + east, south: latitude - north, north: latitude + north }
}

/** The finest step at which nine cells usually cover a circle of this radius. */
function stepsFor(meters: number, latitude: number): number {
  if (meters === 0) return STEP_MAX
  let step = 1
  for (; meters < MERCATOR_MAX_M; meters *= 2) step++
  step -= 2
  if (latitude > 66 || latitude < -66) step--
  if (latitude > 80 || latitude < -80) step--
  return Math.min(STEP_MAX, Math.max(1, step))
}

function coversWithNeighbours(shape: Shape, step: number, bounds: Bounds): boolean {
  const cells = 2 ** step
  const column = columnOf(shape.longitude, step)
  const row = rowOf(shape.latitude, step)
  return (
    southOf(neighbour(row, 1, cells) + 1, step) >= bounds.north &&
    southOf(neighbour(row, -1, cells), step) <= bounds.south &&
    westOf(neighbour(column, 1, cells) + 1, step) >= bounds.east &&
    westOf(neighbour(column, -1, cells), step) <= bounds.west
  )
}

function neighbour(index: number, by: number, cells: number): number {
  return by === 0 ? index : (index + by + cells) % cells
}

function columnOf(longitude: number, step: number): number {
  return Math.floor(((longitude + LONGITUDE_MAX) / (LONGITUDE_MAX * 2)) * 2 ** step)
}

function rowOf(latitude: number, step: number): number {
  return Math.floor(((latitude + LATITUDE_MAX) / (LATITUDE_MAX * 2)) * 2 ** step)
}

/** Longitude of a column's western edge. */
function westOf(column: number, step: number): number {
  return -LONGITUDE_MAX + (column / 2 ** step) * (LONGITUDE_MAX * 2)
}

/** Latitude of a row's southern edge. */
function southOf(row: number, step: number): number {
  return -LATITUDE_MAX + (row / 2 ** step) * (LATITUDE_MAX * 2)
}

/** Interleaves bits of `row` (even positions) and `column` (odd positions). */
function interleave(column: number, row: number): number {
  const high = spread(row >>> 16) + spread(column >>> 16) * 2
  const low = spread(row & 0xffff) + spread(column & 0xffff) * 2
  return high * TWO_32 + low
}

/** Moves the 16 bits of x to the even positions of 32. */
function spread(x: number): number {
  x = (x | (x << 8)) & 0x00ff00ff
  x = (x | (x << 4)) & 0x0f0f0f0f
  x = (x | (x << 2)) & 0x33333333
  return (x | (x << 1)) & 0x55555555
}

/** The even positions of 32 bits, as 16 bits. */
function squeeze(x: number): number {
  x &= 0x55555555
  x = (x | (x >>> 1)) & 0x33333333
  x = (x | (x >>> 2)) & 0x0f0f0f0f
  x = (x | (x >>> 4)) & 0x00ff00ff
  return (x | (x >>> 8)) & 0xffff
}

/** Ten-thousandths as on an x86-64 server: rounded half to even. */
export function tenThousandths(distance: number): number {
  const scaled = distance * 10000
  const n = Math.round(scaled)
  return n - scaled === 0.5 && n % 2 !== 0 ? n - 1 : n
}
