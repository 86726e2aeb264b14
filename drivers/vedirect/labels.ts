/**
 * The labels of VE.Direct, as the protocol's tables have them (version 3.34, "Field descriptions"): what is
 * sent, and what it becomes in SI units. A label is one row; a new one is another.
 */
import type { Field, Unit, Value } from '../../runtime/sense/driver.ts'

export type Label = {
  /** Ours, where theirs has a letter that no field may have. */
  readonly name?: string
  readonly field: Field
  /** The value of what stands behind the tab; undefined for none. */
  read(text: string): Value | undefined
}

/** A number that is sent in this many of the unit. */
function scaled(title: string, unit: Unit, of: number, per = 1): Label {
  return {
    field: { title, type: 'number', unit },
    read(text) {
      if (!/^-?\d{1,12}$/.test(text)) return undefined
      // A −0 is a 0.
      return (Number(text) * of) / per + 0
    },
  }
}

const millivolts = (title: string) => scaled(title, 'V', 1, 1000)
const milliamperes = (title: string) => scaled(title, 'A', 1, 1000)
/** A mAh is 3.6 C. */
const charge = (title: string) => scaled(title, 'C', 36, 10)
/** A hundredth of a kWh is 36,000 J. */
const energy = (title: string) => scaled(title, 'J', 36_000)
const watts = (title: string) => scaled(title, 'W', 1)

function counted(title: string): Label {
  return {
    field: { title, type: 'integer' },
    read: (text) => (/^-?\d{1,12}$/.test(text) ? Number(text) : undefined),
  }
}

function onOff(title: string): Label {
  const words = new Map([
    ['ON', true],
    ['OFF', false],
  ])
  return { field: { title, type: 'boolean' }, read: (text) => words.get(text.toUpperCase()) }
}

function said(title: string, name?: string): Label {
  return {
    ...(name === undefined ? {} : { name }),
    field: { title, type: 'text' },
    read: (text) => (/^[ -~]{1,32}$/.test(text) && !/^-+$/.test(text) ? text : undefined),
  }
}

/** A code that stands for a state; one that is not in the table is said as it came. */
function state(title: string, names: Readonly<Record<string, string>>): Label {
  return {
    field: { title, type: 'text' },
    read: (text) => (/^\d{1,5}$/.test(text) ? (names[text] ?? text) : undefined),
  }
}

export const labels: Readonly<Record<string, Label>> = Object.assign(Object.create(null), {
  V: millivolts('battery voltage'),
  V2: millivolts('battery voltage, channel 2'),
  V3: millivolts('battery voltage, channel 3'),
  VS: millivolts('starter battery voltage'),
  VM: millivolts('mid-point voltage of the battery bank'),
  DM: scaled('mid-point deviation', '/', 1, 1000),
  VPV: millivolts('panel voltage'),
  PPV: watts('panel power'),
  I: milliamperes('battery current, charging positive'),
  I2: milliamperes('battery current, channel 2'),
  I3: milliamperes('battery current, channel 3'),
  IL: milliamperes('load current'),
  LOAD: onOff('load output'),
  T: scaled('battery temperature', 'Cel', 1),
  P: watts('instantaneous power'),
  CE: charge('consumed charge'),
  SOC: scaled('state of charge', '/', 1, 1000),
  TTG: {
    field: { title: 'time to go', type: 'number', unit: 's' },
    read: (text) => (/^\d{1,9}$/.test(text) ? 60 * Number(text) : undefined),
  },
  Alarm: onOff('alarm active'),
  Relay: onOff('relay'),
  AR: counted('alarm reason, bits'),
  OR: said('off reason, bits in hex'),
  H1: charge('deepest discharge'),
  H2: charge('last discharge'),
  H3: charge('average discharge'),
  H4: counted('charge cycles'),
  H5: counted('full discharges'),
  H6: charge('charge drawn in all'),
  H7: millivolts('lowest battery voltage'),
  H8: millivolts('highest battery voltage'),
  H9: scaled('since the last full charge', 's', 1),
  H10: counted('automatic synchronisations'),
  H11: counted('alarms of low voltage'),
  H12: counted('alarms of high voltage'),
  H13: counted('alarms of low auxiliary voltage'),
  H14: counted('alarms of high auxiliary voltage'),
  H15: millivolts('lowest auxiliary voltage'),
  H16: millivolts('highest auxiliary voltage'),
  H17: energy('discharged energy'),
  H18: energy('charged energy'),
  H19: energy('yield in all'),
  H20: energy('yield today'),
  H21: watts('highest power today'),
  H22: energy('yield yesterday'),
  H23: watts('highest power yesterday'),
  ERR: counted('error code; 0 for none'),
  CS: state('state of operation', {
    0: 'off',
    1: 'low power',
    2: 'fault',
    3: 'bulk',
    4: 'absorption',
    5: 'float',
    6: 'storage',
    7: 'equalize',
    9: 'inverting',
    11: 'power supply',
    245: 'starting up',
    246: 'repeated absorption',
    247: 'auto equalize',
    248: 'BatterySafe',
    252: 'external control',
  }),
  BMV: said('model of the battery monitor'),
  FW: said('firmware version'),
  FWE: said('firmware version, 24 bits'),
  PID: said('product id'),
  'SER#': said('serial number', 'SER'),
  HSDS: counted('day number of the history'),
  MODE: state('mode of the device', {
    1: 'charger',
    2: 'inverter',
    4: 'off',
    5: 'eco',
    253: 'hibernate',
  }),
  AC_OUT_V: scaled('AC output voltage', 'V', 1, 100),
  AC_OUT_I: scaled('AC output current', 'A', 1, 10),
  AC_OUT_S: scaled('AC output apparent power', 'VA', 1),
  WARN: counted('warning reason, bits'),
  MPPT: counted('tracker: 0 off, 1 limited, 2 active'),
  MON: counted('what the DC monitor watches'),
  DC_IN_V: scaled('DC input voltage', 'V', 1, 100),
  DC_IN_I: scaled('DC input current', 'A', 1, 10),
  DC_IN_P: watts('DC input power'),
  CAP_BLE: said('capabilities of its Bluetooth, bits in hex'),
} satisfies Record<string, Label>)

/** For the driver: the fields by our names. */
export const fields: Readonly<Record<string, Field>> = {
  ...Object.fromEntries(
    Object.entries(labels).map(([key, { name = key, field }]) => [name, field]),
  ),
  product: { title: 'product, by its id', type: 'text' },
}
