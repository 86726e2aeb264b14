/** What a buyer brings along: the key that pays, and the chain that it deposits on. */
import { readKeyFile, readPassword } from '../disk/keyfile.ts'
import type { OfferedRail } from '../wire/offer.ts'
import { localSigner, type Signer } from '../wire/signer.ts'
import type { BuyerChain } from './fund.ts'

/**
 * The key in this file: 32 bytes of hex, or a keystore with its password in another file. Throws KEY_MISSING,
 * KEY_UNREADABLE, KEY_EXPOSED, KEY_LOCKED, INPUT_UNREADABLE.
 */
export async function signerIn(path: string, passwordFile?: string): Promise<Signer> {
  const password = passwordFile === undefined ? undefined : await readPassword(passwordFile)
  return localSigner(await readKeyFile(path, password))
}

/**
 * Deposits through these endpoints of a chain, which must agree; `sender` pays the gas. Ethers is loaded only
 * when there is something to deposit. Throws what the chain throws.
 */
export function chainAt(
  rpcs: readonly string[],
  sender: Signer,
): (rail: OfferedRail) => Promise<BuyerChain> {
  return async ({ chainId, settlement }) => {
    const { openChain } = await import('../link/chain.ts')
    return openChain({ rpcs, chainId, settlement, sender })
  }
}
