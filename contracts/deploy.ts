/**
 * Puts the settlement contract and its collectors on a chain that lacks the canonical ones, and prints
 * their addresses as JSON: `node deploy.ts --rpc URL --key FILE` (the key pays the gas; see disk/keyfile.ts).
 *
 * The collectors are bound to the settlement contract for ever, so it goes first. Nobody owns any of them.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { ContractFactory, hexlify, type InterfaceAbi, JsonRpcProvider, Wallet } from 'ethers'
import { call } from '../demo/chain.ts'
import { readKeyFile } from '../runtime/disk/keyfile.ts'
import { type Artifact, artifacts } from './artifacts.ts'

const { values } = parseArgs({
  options: {
    rpc: { type: 'string' },
    key: { type: 'string' },
    'password-file': { type: 'string' },
  },
})
const { rpc, key, 'password-file': passwordFile } = values
if (rpc === undefined || key === undefined) {
  process.stderr.write('usage: node deploy.ts --rpc URL --key FILE [--password-file FILE]\n')
  process.exit(2)
}

const password = passwordFile === undefined ? undefined : await readFile(passwordFile, 'utf8')
// Asked first: ethers would ask an endpoint that is not there for ever.
const chainId = Number(await call(rpc, 'eth_chainId', []).catch(() => nobody(rpc)))
const provider = new JsonRpcProvider(rpc, chainId, {
  staticNetwork: true,
  cacheTimeout: -1,
  pollingInterval: 500,
})
const wallet = new Wallet(hexlify(await readKeyFile(key, password?.trimEnd())), provider)
try {
  const settlement = await deploy(artifacts.settlement)
  const collector = await deploy(artifacts.collector, settlement)
  const permit2Collector = await deploy(artifacts.permit2Collector, settlement)
  console.log(JSON.stringify({ chainId, settlement, collector, permit2Collector }))
} finally {
  provider.destroy()
}

/** What stands behind the origin of an endpoint may be a secret. */
function nobody(rpc: string): never {
  process.stderr.write(`no chain answers at ${new URL(rpc).origin}\n`)
  process.exit(3)
}

async function deploy(artifact: Artifact, ...args: readonly string[]): Promise<string> {
  const factory = new ContractFactory(artifact.abi as InterfaceAbi, artifact.creation, wallet)
  const contract = await factory.deploy(...args)
  await contract.waitForDeployment()
  const address = (await contract.getAddress()).toLowerCase()
  process.stderr.write(`${artifact.name} stands at ${address}\n`)
  return address
}
