/** A sample offer and setup, for tests and for the golden vectors. */

import { hex } from '../../runtime/wire/bytes.ts'
import type { Json } from '../../runtime/wire/jcs.ts'
import type { Offer } from '../../runtime/wire/offer.ts'
import type { Setup } from '../../runtime/wire/setup.ts'
import type { Index } from '../../runtime/wire/shelf.ts'
import { device, operator, secretOf } from './sample.ts'

export const sampleOffer: Offer = {
  version: 3,
  device,
  operator,
  signingKey: device,
  hpke: hex(secretOf('hpke public')),
  receiver: operator,
  gateway: operator,
  rails: [
    {
      chainId: 31337,
      settlement: '0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003',
      collector: '0x4020806089470a89826cb9fb1f4059150b550004',
      token: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
      tokenName: 'USD Coin',
      tokenVersion: '2',
      decimals: 6,
    },
  ],
  withdrawDelayMinS: 604_800,
  streams: [
    {
      stream: 'air',
      title: 'Air at the junction',
      fields: [
        { name: 'pm1', unit: 'ug/m3', type: 'integer', resolution: 1 },
        { name: 'pm2_5', unit: 'ug/m3', type: 'integer', resolution: 1 },
      ],
      epochMs: 10_000,
      price: { amount: '360', perMs: 3_600_000 },
      policy: 'use',
    },
  ],
}

export const sampleSetup: Setup = {
  version: 1,
  device,
  stream: 'air',
  driver: { id: 'plantower', version: '0.1.0' },
  product: 'wayside 0.1.0',
  sensor: { make: 'Plantower', model: 'PMS5003', serial: '2021-0417' },
  place: { lat: 52.52, lon: 13.405, altM: 34, note: 'north side of the junction' },
}

export const sampleIndex: Index = {
  version: 1,
  device,
  streams: [
    {
      stream: 'air',
      generations: [{ generation: 1, first: 8, last: 10 }],
      first: { number: 8, monotonicMs: 17_000 },
      last: { number: 10, monotonicMs: 20_000, wallMs: 1_790_000_000_000 },
      lastHash: hex(secretOf('header 10')),
      tombstones: [{ from: 1, to: 7 }],
    },
  ],
}

/** The same with one member more in every object, as a later version might write it. */
export function grown(document: Json): Json {
  if (typeof document !== 'object' || document === null) return document
  if (Array.isArray(document)) return document.map(grown)
  const members = Object.entries(document).map(([name, part]) => [name, grown(part as Json)])
  return Object.fromEntries([...members, ['later', 'what a later version says']])
}
