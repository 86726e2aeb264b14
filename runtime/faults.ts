/**
 * Every fault the product can raise: a stable code, the sentence with the fact and the bound, and the cure.
 *
 * A fault is an operational error that a person must act on. Doubts (bad data) and refusals (a peer's
 * bad request) are values, not faults. Codes are never reused; docs/faults.md lists the same rows and a
 * test holds the two together, both ways. `{name}` in a sentence is filled from the facts.
 */
import { lineFaults } from './linefaults.ts'
import { shown } from './wire/shown.ts'

export const faults = {
  ...lineFaults,
  CONFIG_UNREADABLE: {
    exit: 2,
    says: 'cannot read {path}: {why}',
    cure: 'check the path, or write a first one: `wayside init`, and for a desk `wayside operate init`',
  },
  CONFIG_EXISTS: {
    exit: 2,
    says: '{path} is there already',
    cure: 'name another file, or write over it with --force',
  },
  CONFIG_INVALID: {
    exit: 2,
    says: '{path}:{line}:{column}: {what}',
    cure: '{hint}',
  },
  DRIVER_UNKNOWN: {
    exit: 2,
    says: 'there is no driver {driver}',
    cure: 'perhaps {near}; `wayside drivers` lists them all',
  },
  DRIVER_OPTION_UNKNOWN: {
    exit: 2,
    says: 'driver {driver} has no option {option}: {known}',
    cure: 'see `wayside drivers {driver}`',
  },
  DRIVER_OPTION_INVALID: {
    exit: 2,
    says: 'driver {driver}: option {option} can not be {written}',
    cure: 'write {allowed}',
  },
  DRIVER_PACKAGE_INVALID: {
    exit: 2,
    says: 'driver package {package}: {why}',
    cure: 'npm install it beside the config; what it must export is in docs/add-a-driver.md',
  },
  INPUT_UNREADABLE: {
    exit: 2,
    says: 'cannot read {path}: {why}',
    cure: 'check the path and its permissions',
  },
  PORT_UNREADABLE: {
    exit: 2,
    says: 'cannot open the port {path}: {why}',
    cure: 'see `wayside ports`; the user needs the group dialout, and no other program may hold the port',
  },
  FOLDER_LOCKED: {
    exit: 2,
    says: 'another process already works in {folder}',
    cure: 'stop it first; `fuser {folder}/lock` says which one it is',
  },
  STORE_UNREADABLE: {
    exit: 2,
    says: 'cannot open the database {path}: {why}',
    cure: 'check that the folder exists and can be written; keep a copy of the file before you change it',
  },
  STORE_NEWER: {
    exit: 2,
    says: '{path} has schema {found}; this version knows schemas up to {known}',
    cure: 'install the newer version again',
  },
  STORE_FULL: {
    exit: 2,
    says: 'the disk under {path} has no room: {why}',
    cure: 'free some space, or set `keep` lower; nothing that was acknowledged is lost',
  },
  DISK_FAILING: {
    exit: 2,
    says: 'the disk under {path} does not take what is written: {why}',
    cure: 'see `dmesg`; check card, cable and power, and replace what is broken; what was acknowledged is kept',
  },
  FILE_UNWRITTEN: {
    exit: 2,
    says: 'cannot write {path}: {why}',
    cure: 'check free space and permissions; for an I/O error see `dmesg`, and check card, cable and power',
  },
  STORE_FAILED: {
    exit: 2,
    says: 'the store at {path} stopped: {why}',
    cure: 'check free space and the card (`dmesg`), then start again; what was acknowledged is kept',
  },
  OUT_FOREIGN: {
    exit: 2,
    says: '{path} is no file of readings in this format, or is damaged before its end',
    cure: 'name another file with --out; nothing was written to this one',
  },
  BOOKS_BEHIND: {
    exit: 1,
    says: 'the books of the gateway are older than what it has signed: {what} is not in them',
    cure: 'restore the newest gateway.sqlite; if none is left, give the gateway a new key, and let buyers open new channels',
  },
  BOOKS_LOST: {
    exit: 1,
    says: 'the books in {folder} are older than what this device has published: {what}',
    cure: 'put the newest copy of the folder back; if there is none, `wayside recover` goes on above what was published',
  },
  DEVICE_CLONED: {
    exit: 1,
    says: 'another machine signs as device {device}: it has published {what}, which was never written here',
    cure: 'it senses and stores, and stays away from its broker: find the second card or folder and end it for good; then `wayside recover` here, and start again',
  },
  MACHINE_OTHER: {
    exit: 1,
    says: 'the folder {folder} belongs to another machine: this is a copy of its card, or the card itself',
    cure: 'take the copy away, and `wayside init` another folder; if the card was moved: `wayside recover --moved`',
  },
  STORE_DAMAGED: {
    exit: 2,
    says: 'the store does not agree with itself: {what}',
    cure: 'keep a copy of the folder, and check the card; only a sound copy can be started',
  },
  KEY_UNREADABLE: {
    exit: 2,
    says: 'cannot use the key file {path}: {why}',
    cure: 'check whose it is, and restore it from the backup: 32 bytes in hex, or a keystore; another key is another device or account',
  },
  KEY_MISSING: {
    exit: 2,
    says: 'there is no key file {path}',
    cure: "check the path; `wayside operate init` makes an operator's, and a buyer's is `(umask 077; openssl rand -hex 32 > {path})`",
  },
  KEY_LOCKED: {
    exit: 2,
    says: 'cannot open the key file {path}: {why}',
    cure: 'name a file that holds its password, and nothing else',
  },
  KEY_EXPOSED: {
    exit: 2,
    says: '{path} can be read by other users (mode {mode})',
    cure: 'chmod 600 {path}',
  },
  GENERATION_MISSING: {
    exit: 2,
    says: 'the key file of generation {generation} is not in {folder}',
    cure: 'restore it from the backup; what was sealed under it cannot be opened without',
  },
  WATCH_PORT: {
    exit: 2,
    says: 'cannot serve health and metrics at {host}:{port}: {why}',
    cure: 'choose another `watch.port` in the config, or 0 for a free one',
  },
  MODEL_UNREADABLE: {
    exit: 2,
    says: 'cannot read {path}: {why}',
    cure: 'a model is a folder with model.json and model.onnx; check `model` in the config',
  },
  MODEL_INVALID: {
    exit: 2,
    says: '{path}: {what}',
    cure: 'mend that place of the file, or take model.json and model.onnx from the same release',
  },
  MODEL_RUNTIME: {
    exit: 2,
    says: 'ONNX Runtime cannot be loaded: {why}',
    cure: 'npm install --ignore-scripts onnxruntime-node, or take the models out of the config',
  },
  MODEL_PROVIDER: {
    exit: 2,
    says: '{path} cannot run on {asked}: {why} (this build knows {available})',
    cure: 'install what {asked} needs, or set `provider: cpu` for that model',
  },
  OFFER_MISSING: {
    exit: 3,
    says: 'no offer of {wanted} came within {seconds} s',
    cure: 'check the broker and that the device runs; with an operator named, that it enrolled the device',
  },
  OFFER_OPERATORS: {
    exit: 2,
    says: 'several operators sell that: {operators}',
    cure: 'name one: one budget pays one operator',
  },
  OFFER_RAIL: {
    exit: 2,
    says: 'the offer takes {rails}; that is not {wanted}',
    cure: 'pay on a chain and in a token that the offer lists',
  },
  OFFER_PRICE: {
    exit: 2,
    says: '{stream} of {device} costs {price}, over the ceiling of {ceiling}',
    cure: 'raise the ceiling, or leave that stream out',
  },
  RANGE_INVALID: {
    exit: 2,
    says: 'no such range of history: {why}',
    cure: 'name a beginning before the end (2026-11-01T08:00Z, 24h, #1200); what was paid for is not paid again',
  },
  BUDGET_INVALID: {
    exit: 2,
    says: 'the budget {budget} is not an amount of a token with {decimals} decimals',
    cure: 'write it as a decimal number, for instance 1.50',
  },
  OWN_KEY: {
    exit: 2,
    says: 'the key {key} is not that of operator {operator}, whose devices these are',
    cure: "own data is read with the operator's key; leave --own out to pay, or name your own devices",
  },
  CHANNEL_WITHDRAWING: {
    exit: 2,
    says: 'a withdrawal from our channel {channel} is pending or done',
    cure: 'wait until it is done and buy from another folder, which opens another channel',
  },
  CLOCK_ASTRAY: {
    exit: 1,
    says: "this machine's clock is {off} the time by which {seller} sells",
    cure: 'set this clock (NTP; see `timedatectl`); if it is right, tell the operator: the time is its gateway’s',
  },
  SEAT_MOVED: {
    exit: 1,
    says: 'device {device} claims place {index} of the payment tree, its place is {known}',
    cure: 'do not pay it; tell its operator',
  },
} as const satisfies Readonly<Record<string, FaultRow>>

export type FaultRow = {
  /** Exit code of a command that ends with it: 1 finding, 2 usage or config, 3 other side unreachable. */
  readonly exit: 1 | 2 | 3
  readonly says: string
  readonly cure: string
}

export type FaultCode = keyof typeof faults

/** The only class of the house: what is thrown when a person must act. */
export class Fault extends Error {
  readonly code: FaultCode
  readonly exit: 1 | 2 | 3
  readonly cure: string
  readonly facts: Facts
  constructor(code: FaultCode, facts: Facts, cause?: unknown) {
    const row: FaultRow = faults[code]
    super(fill(row.says, facts), cause === undefined ? undefined : { cause })
    this.name = 'Fault'
    this.code = code
    this.exit = row.exit
    this.cure = fill(row.cure, facts)
    this.facts = facts
  }
}

export type Facts = Readonly<Record<string, string | number | bigint>>

/** Makes the fault of that code; never put a secret among the facts. */
export function fault(code: FaultCode, facts: Facts = {}, cause?: unknown): Fault {
  return new Fault(code, facts, cause)
}

/** A fault or a library's error, as one line. */
export function whyOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

/**
 * Facts come from peers and files too: none of them may do to a terminal what it likes, and a login that was
 * written into an address is not repeated.
 */
function fill(sentence: string, facts: Facts): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) =>
    shown(String(facts[name] ?? whole).replace(/\/\/[^/@\s]+@/g, '//')),
  )
}
