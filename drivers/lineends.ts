/**
 * Line ends as they were sent. Meters and chargers end a line with a carriage return and a line feed, and
 * count both in their checksums. Text that was copied has the line feeds alone, and a terminal that was not
 * set raw makes a line feed of each carriage return, so that they come in pairs.
 */

const newline = 0x0a
const carriageReturn = 0x0d

/** The bytes with the carriage returns that were lost; they themselves where none was. */
export function asSent(bytes: Uint8Array): Uint8Array {
  const sent = inPairs(bytes)
    ? [...bytes].map((byte, at) => (byte === newline && isFirst(bytes, at) ? carriageReturn : byte))
    : [...bytes].flatMap((byte, at) =>
        byte === newline && bytes[at - 1] !== carriageReturn ? [carriageReturn, byte] : [byte],
      )
  return Uint8Array.from(sent)
}

/** Whether there are only line feeds, an even number of them wherever there are any. */
function inPairs(bytes: Uint8Array): boolean {
  let run = 0
  for (const byte of bytes) {
    if (byte === carriageReturn) return false
    if (byte !== newline && run % 2 === 1) return false
    run = byte === newline ? run + 1 : 0
  }
  return run % 2 === 0
}

/** Whether the line feed here is the first of its pair. */
function isFirst(bytes: Uint8Array, at: number): boolean {
  let before = 0
  while (bytes[at - 1 - before] === newline) before += 1
  return before % 2 === 0
}
