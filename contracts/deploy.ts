/**
 * Puts the settlement contract and its collectors on a chain that lacks the canonical ones, and prints
 * their addresses as JSON: `node deploy.ts --rpc URL --key FILE` (the key pays the gas; see disk/keyfile.ts).
 *
 * The collectors are bound to the settlement contract for ever, so it goes first. Nobody owns any of them.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { ContractFactory, hexlify, type InterfaceAbi, JsonRpcProvider, Wallet } from 'ethers'
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
const provider = new JsonRpcProvider(rpc, undefined, { cacheTimeout: -1, pollingInterval: 500 })
const wallet = new Wallet(hexlify(await readKeyFile(key, password?.trimEnd())), provider)
try {
  const settlement = await deploy(artifacts.settlement)
  const collector = await deploy(artifacts.collector, settlement)
  const permit2Collector = await deploy(artifacts.permit2Collector, settlement)
  const { chainId } = await provider.getNetwork()
  console.log(JSON.stringify({ chainId: Number(chainId), settlement, collector, permit2Collector }))
} finally {
  provider.destroy()
}

async function deploy(artifact: Artifact, ...args: readonly string[]): Promise<string> {
  const factory = new ContractFactory(artifact.abi as InterfaceAbi, artifact.creation, wallet)
  const contract = await factory.deploy(...args)
  await contract.waitForDeployment()
  const address = (await contract.getAddress()).toLowerCase()
  process.stderr.write(`${artifact.name} stands at ${address}\n`)
  return address
}
