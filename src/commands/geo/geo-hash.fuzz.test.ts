// The ranges and bounding box of a search must include every place within the shape.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { distanceWithin, isBeyond, LATITUDE_MAX, type Place, placeOfScore, reachOf, scoreOfPlace } from './geo-hash.ts'

const SHAPES = 400
const PLACES = 100

test('no place within a shape is beyond its reach, and most others are', () => {
  let state = 7
  const random = () => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff
  const place: Place = { longitude: 0, latitude: 0 }
  let within = 0
  let passedOver = 0
  for (let i = 0; i < SHAPES; i++) {
    const size = () => 10 ** (random() * 7.5)
    const longitude = (random() * 2 - 1) * (i % 3 === 0 ? 180 : 20)
    const latitude = (random() * 2 - 1) * (i % 5 === 0 ? LATITUDE_MAX : 60)
    const shape = { longitude, latitude, box: i % 2 === 0, radius: size(), width: size(), height: size() }
    const reach = reachOf(shape)
    for (let j = 0; j < PLACES; j++) {
      // Places about as far away as the shape reaches, and random ones.
      const meters = shape.box ? Math.max(shape.width, shape.height) : shape.radius
      const spread = j % 4 === 0 ? 360 : (meters / 111_000) * 4
      const lon = ((((longitude + (random() - 0.5) * spread + 180) % 360) + 360) % 360) - 180
      const lat = Math.min(LATITUDE_MAX, Math.max(-LATITUDE_MAX, latitude + (random() - 0.5) * spread))
      placeOfScore(scoreOfPlace(lon, lat), place)
      const inside = distanceWithin(shape, place) >= 0
      const beyond = isBeyond(reach, shape, place)
      assert.ok(!(inside && beyond), JSON.stringify({ shape, place }))
      if (inside) within++
      if (beyond) passedOver++
    }
  }
  const all = SHAPES * PLACES
  assert.ok(within > all / 10, `${within} within`)
  assert.ok(passedOver > (all - within) / 2, `${passedOver} of ${all - within} passed over`)
})
