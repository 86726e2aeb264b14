/**
 * The messages that are read, as tables: field → where it stands in the payload. Names are the maker's;
 * millimetres, centimetres a second, milliseconds and the like become SI units, angles degrees.
 *
 * A table is for the smallest payload of its message; longer ones say more, which is passed over.
 */
import type { Value } from '../../runtime/sense/driver.ts'
import { bit, bits, type Columns, clock, fine, from, i2, i4, u1, u2, u4, where } from './layout.ts'
import { satellites, satellitesOld, version } from './lists.ts'

export type Message = {
  readonly name: string
  /** Bytes of the smallest payload. */
  readonly size: number
  readonly columns: Columns
  /** Whether it says that there is a fix; left out where the message does not know. */
  readonly fixed?: (payload: DataView) => boolean
  /** False when the message itself calls its position void. */
  readonly holds?: (payload: DataView) => boolean
  /** What columns cannot say, of as many satellites or texts as there are; undefined when it is cut short. */
  readonly more?: (payload: DataView) => Readonly<Record<string, Value>> | undefined
}

const [mm, cm, ms, ns] = [1e3, 1e2, 1e3, 1e9]
const unknown = 0xffffffff
const dop = (at: number) => u2(at, 100, 9999)

export const messages: Readonly<Record<number, Message>> = {
  258: {
    name: 'NAV-POSLLH',
    size: 28,
    columns: {
      iTOW: u4(0, ms),
      lon: i4(4, 1e7),
      lat: i4(8, 1e7),
      height: i4(12, mm),
      hMSL: i4(16, mm),
      hAcc: u4(20, mm, unknown),
      vAcc: u4(24, mm, unknown),
    },
    holds: (view) => view.getUint32(20, true) < worstAccuracyMm,
  },
  259: {
    name: 'NAV-STATUS',
    size: 16,
    columns: {
      iTOW: u4(0, ms),
      gpsFix: u1(4),
      gpsFixOk: bit(5, 0),
      diffSoln: bit(5, 1),
      wknSet: bit(5, 2),
      towSet: bit(5, 3),
      psmState: bits(7, 0, 2),
      spoofDetState: bits(7, 3, 2),
      carrSoln: bits(7, 6, 2),
      ttff: u4(8, ms, 0),
      msss: u4(12, ms),
    },
    fixed: (view) => view.getUint8(4) !== 0 && bit(5, 0)(view),
  },
  260: {
    name: 'NAV-DOP',
    size: 18,
    columns: {
      ...{ iTOW: u4(0, ms), gDOP: dop(4), pDOP: dop(6), tDOP: dop(8), vDOP: dop(10) },
      ...{ hDOP: dop(12), nDOP: dop(14), eDOP: dop(16) },
    },
  },
  262: {
    name: 'NAV-SOL',
    size: 52,
    columns: {
      iTOW: u4(0, ms),
      week: where(bit(11, 2), i2(8)),
      gpsFix: u1(10),
      gpsfixOK: bit(11, 0),
      diffSoln: bit(11, 1),
      ecefX: i4(12, cm),
      ecefY: i4(16, cm),
      ecefZ: i4(20, cm),
      pAcc: u4(24, cm, unknown),
      ecefVX: i4(28, cm),
      ecefVY: i4(32, cm),
      ecefVZ: i4(36, cm),
      sAcc: u4(40, cm, unknown),
      pDOP: dop(44),
      numSV: u1(47),
    },
    fixed: (view) => view.getUint8(10) !== 0 && bit(11, 0)(view),
  },
  263: {
    name: 'NAV-PVT',
    size: 84,
    columns: {
      iTOW: u4(0, ms),
      time: (view) => (bits(11, 0, 2)(view) === 3 ? clock(4, 16)(view) : undefined),
      fullyResolved: bit(11, 2),
      tAcc: u4(12, ns, unknown),
      fixType: u1(20),
      gnssFixOk: bit(21, 0),
      diffSoln: bit(21, 1),
      psmState: bits(21, 2, 3),
      carrSoln: bits(21, 6, 2),
      numSV: u1(23),
      lon: i4(24, 1e7),
      lat: i4(28, 1e7),
      height: i4(32, mm),
      hMSL: i4(36, mm),
      hAcc: u4(40, mm, unknown),
      vAcc: u4(44, mm, unknown),
      velN: i4(48, mm),
      velE: i4(52, mm),
      velD: i4(56, mm),
      gSpeed: i4(60, mm),
      headMot: i4(64, 1e5),
      sAcc: u4(68, mm, unknown),
      headAcc: u4(72, 1e5, unknown),
      pDOP: dop(76),
      lastCorrectionAge: (view) => bits(78, 1, 4)(view) || undefined,
      headVeh: from(92, where(bit(21, 5), i4(84, 1e5))),
      magDec: from(92, where(bit(11, 3), i2(88, 100))),
      magAcc: from(92, where(bit(11, 3), u2(90, 100))),
    },
    fixed: (view) => view.getUint8(20) !== 0 && bit(21, 0)(view),
    holds: (view) => !bit(78, 0)(view),
  },
  274: {
    name: 'NAV-VELNED',
    size: 36,
    // Its speed in three dimensions follows from the parts; its heading is what NAV-PVT calls headMot.
    columns: {
      iTOW: u4(0, ms),
      velN: i4(4, cm),
      velE: i4(8, cm),
      velD: i4(12, cm),
      gSpeed: u4(20, cm),
      headMot: i4(24, 1e5),
      sAcc: u4(28, cm, unknown),
      headAcc: u4(32, 1e5, unknown),
    },
  },
  276: {
    name: 'NAV-HPPOSLLH',
    size: 36,
    columns: {
      iTOW: u4(4, ms),
      lon: fine(8, 24, 100, 1e7),
      lat: fine(12, 25, 100, 1e7),
      height: fine(16, 26, 10, mm),
      hMSL: fine(20, 27, 10, mm),
      hAcc: u4(28, 10 * mm, unknown),
      vAcc: u4(32, 10 * mm, unknown),
    },
    holds: (view) => !bit(3, 0)(view) && view.getUint32(28, true) < 10 * worstAccuracyMm,
  },
  289: {
    name: 'NAV-TIMEUTC',
    size: 20,
    columns: {
      iTOW: u4(0, ms),
      time: where(bit(19, 2), clock(12, 8)),
      tAcc: u4(4, ns, unknown),
    },
  },
  304: {
    name: 'NAV-SVINFO',
    size: 8,
    columns: { iTOW: u4(0, ms) },
    more: satellitesOld,
  },
  309: {
    name: 'NAV-SAT',
    size: 8,
    columns: { iTOW: u4(0, ms) },
    more: satellites,
  },
  2564: { name: 'MON-VER', size: 40, columns: {}, more: version },
}

/** A place within so many millimetres is none: receivers without a fix write such, or all ones. */
const worstAccuracyMm = 1e9

/** True where the values say that there is no fix. */
export function isBlind(values: Readonly<Record<string, Value>>): boolean {
  const flags = [values.gnssFixOk, values.gpsFixOk, values.gpsfixOK]
  return flags.includes(false) || values.fixType === 0 || values.gpsFix === 0
}

/** Without a fix, receivers go on saying where they last were, or the middle of the map. */
export function withoutPlace(values: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !byPlace.has(name)))
}

const byPlace = new Set(
  (
    'lat lon height hMSL hAcc vAcc velN velE velD gSpeed headMot sAcc headAcc headVeh magDec magAcc ' +
    'ecefX ecefY ecefZ pAcc ecefVX ecefVY ecefVZ lastCorrectionAge'
  ).split(' '),
)
