import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cutter, type Frame } from '../../runtime/sense/frame.ts'
import { headed, type Shape, stuffed, sum16, textLine } from '../../runtime/sense/shape.ts'

const boxed = headed({
  start: Uint8Array.of(0xaa, 0x55),
  headSize: 3,
  size: (head) => (head.getUint8(2) < 2 ? 0 : 3 + head.getUint8(2)),
  sizeMax: 64,
  flaw: sum16,
})

const body = fc.uint8Array({ maxLength: 40 })
const noise = fc.uint8Array({ maxLength: 20 }).map((bytes) => bytes.filter((byte) => byte !== 0xaa))

test('a frame stays what it was when its chunk, as of a port that reads on, is written over', () => {
  const chunk = Buffer.from(box(Uint8Array.of(1, 2, 3)))
  const [found] = cutter(boxed).push(chunk)
  chunk.fill(0)
  assert.deepEqual(found?.bytes, box(Uint8Array.of(1, 2, 3)))
})

test('finds the same frames however the bytes are dealt, and accounts for every byte', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(noise, body)), fc.array(fc.nat(50)), (parts, sizes) => {
      const frames = parts.map(([, inside]) => box(inside))
      const stream = parts.flatMap(([before], i) => [...before, ...(frames[i] as Uint8Array)])
      const cut = cutter(boxed)
      const found = [...deal(cut.push, Uint8Array.from(stream), sizes), ...cut.finish()]
      assert.deepEqual(
        found.map(({ bytes }) => [...bytes]),
        frames.map((frame) => [...frame]),
      )
      for (const { offset, bytes } of found) {
        assert.deepEqual(stream.slice(offset, offset + bytes.length), [...bytes])
      }
      const inFrames = found.reduce((sum, { bytes }) => sum + bytes.length, 0)
      assert.equal(cut.skipped() + inFrames, stream.length)
    }),
  )
})

test('a broken frame costs one byte: the true frame inside it is found', () => {
  const inner = box(Uint8Array.of(1, 2, 3))
  const broken = Uint8Array.of(0xaa, 0x55, 20, ...inner)
  const cut = cutter(boxed)
  assert.deepEqual(cut.push(broken), [])
  const found = cut.finish()
  assert.deepEqual(found, [{ offset: 3, bytes: inner }])
  assert.equal(cut.skipped(), 3)
})

test('a whole frame with a wrong sum is handed out with its flaw, never without', () => {
  const frame = box(Uint8Array.of(9, 9))
  frame[3] = 8
  const [found] = cutter(boxed).push(frame)
  assert.equal(found?.flaw, 'bad checksum')
})

test('holds no more than one frame, whatever comes', () => {
  const line = textLine({ starts: '$', sizeMax: 32, flaw: () => undefined })
  const mark = stuffed({ mark: 0x7e, sizeMax: 32, flaw: () => undefined })
  for (const shape of [boxed, line, mark] satisfies Shape[]) {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (chunks) => {
        const cut = cutter(shape)
        let sent = 0
        for (const chunk of chunks) {
          cut.push(chunk)
          sent += chunk.length
          assert.ok(sent - cut.heldFrom() < shape.sizeMax)
        }
      }),
    )
  }
})

test('stuffed frames share a mark or have two, and line ends between lines cost nothing', () => {
  const mark = stuffed({ mark: 0x7e, sizeMax: 32, flaw: () => undefined })
  const cut = cutter(mark)
  const found = cut.push(Uint8Array.of(1, 0x7e, 5, 6, 0x7e, 0x7e, 7, 0x7e))
  assert.deepEqual(
    found.map(({ bytes }) => [...bytes]),
    [
      [0x7e, 5, 6, 0x7e],
      [0x7e, 7, 0x7e],
    ],
  )
  const line = cutter(textLine({ starts: '$', sizeMax: 32, flaw: () => undefined }))
  const lines = line.push(new TextEncoder().encode('$a\r\n$b\n\r$c\r'))
  assert.equal(lines.length, 3)
  assert.equal(line.skipped(), 0)
})

function box(inside: Uint8Array): Uint8Array {
  const frame = Uint8Array.of(0xaa, 0x55, inside.length + 2, ...inside, 0, 0)
  const sum = frame.reduce((total, byte) => total + byte, 0)
  frame[frame.length - 2] = sum >> 8
  frame[frame.length - 1] = sum & 0xff
  return frame
}

function deal(push: (chunk: Uint8Array) => Frame[], stream: Uint8Array, sizes: number[]): Frame[] {
  const found: Frame[] = []
  let at = 0
  for (const size of [...sizes, stream.length]) {
    found.push(...push(stream.subarray(at, at + size)))
    at += size
  }
  return found
}
