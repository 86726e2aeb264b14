import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openPort } from '../../../runtime/sense/port.ts'
import { cable, hearAll, lacks, until } from '../../sense/live.ts'
import { capture } from '../bench.ts'

test('a meter at the end of a line is asked, answers, and becomes readings', {
  skip: lacks('socat'),
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-d0-'))
  const [near, far] = [join(folder, 'eye'), join(folder, 'meter')]
  const wire = await cable(near, far)
  const meter = await openPort({ path: far, baudRate: 300 })
  const asked: string[] = []
  let heard = ''
  meter.onData((chunk) => {
    heard += Buffer.from(chunk).toString('latin1')
    for (;;) {
      const end = heard.indexOf('\r\n')
      if (end < 0) return
      const line = heard.slice(0, end)
      heard = heard.slice(end + 2)
      asked.push(line)
      // The eye reflects what is sent into it; then the meter speaks.
      void meter.write(bytes(`${line}\r\n${line === '/?!' ? '/ELS5\\@V9.30\r\n' : block}`))
    }
  })
  const sensors = hearAll([
    { name: 'meter', driver: 'd0', path: near, options: { mode: 'ask', every: '5s' } },
  ])
  try {
    await until(() => sensors.of('meter').length >= 2)
    const [first] = sensors.of('meter')
    assert.deepEqual(first?.values, { '1.8.0': 285.4 }, 'who it is, is for the bench')
    assert.deepEqual(first?.units, { '1.8.0': 'kWh' })
    assert.deepEqual(asked.slice(0, 4), ['/?!', '\x06050', '/?!', '\x06050'])
    assert.deepEqual(sensors.health('meter')?.doubts, {})
  } finally {
    await sensors.stop()
    await meter.close()
    wire.kill('SIGKILL')
    await rm(folder, { recursive: true })
  }
})

test('a telegram of P1 becomes a reading without what only says which meter it is', {
  skip: lacks('socat'),
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wayside-p1-'))
  const [near, far] = [join(folder, 'usb'), join(folder, 'meter')]
  const wire = await cable(near, far)
  const meter = await openPort({ path: far, baudRate: 115_200 })
  const sensors = hearAll([{ name: 'meter', driver: 'dsmr', path: near }])
  try {
    await until(async () => {
      await meter.write(capture('dsmr/TELEGRAM_FLUVIUS_V171.txt'))
      return sensors.of('meter').length > 0
    })
    const { values = {}, units } = sensors.of('meter')[0] ?? {}
    assert.equal(values['1-0:1.8.2'], 15.758)
    assert.equal(units?.['0-2:24.2.1'], 'm3')
    const aside = ['identification', '0-0:96.1.1', '0-1:96.1.1', '0-0:98.1.0', '0-0:98.1.0-1']
    assert.deepEqual(
      aside.filter((name) => name in values),
      [],
    )
  } finally {
    await sensors.stop()
    await meter.close()
    wire.kill('SIGKILL')
    await rm(folder, { recursive: true })
  }
})

const data = '1.8.0(000285.4*kWh)\r\n!\r\n\x03'
const block = `\x02${data}${String.fromCharCode([...data].reduce((sum, c) => sum ^ c.charCodeAt(0), 0))}`

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}
