/** A buyer that promises until it dies, and prints every promise: `crashing.ts <folder> <failpoint>`. */
import { argv, stdout } from 'node:process'
import { armFailpoints } from '../../runtime/disk/failpoint.ts'
import { hex } from '../../runtime/wire/bytes.ts'
import { openTestPurse, wantOf } from './purses.ts'

const [folder = '', place = ''] = argv.slice(2)
const { purse, device } = await openTestPurse(folder, 1_000_000n)
armFailpoints(place)
for (let number = 1; number < 100; number += 1) {
  const [bought] = await purse.buy([{ device, wants: [wantOf(device, number)], ahead: 0n }])
  if (typeof bought !== 'object') break
  const { split } = bought.payment
  stdout.write(`${split.period} ${split.total} ${hex(split.root)}\n`)
}
