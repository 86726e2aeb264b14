/** Everyone who cheats, in the order of the table. */
import type { Journey } from '../journey.ts'
import { broker } from './broker.ts'
import { images } from './images.ts'
import { offers } from './offers.ts'
import { promises } from './promises.ts'
import { sellers } from './sellers.ts'
import { sessions } from './sessions.ts'
import { strangers } from './strangers.ts'
import { wallets } from './wallets.ts'

export const cheats: readonly Journey[] = [
  ...promises,
  ...sessions,
  ...wallets,
  ...sellers,
  ...offers,
  ...broker,
  ...strangers,
  ...images,
]
