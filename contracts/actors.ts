/**
 * The two sides of a channel as ethers wallets, for gas.ts and the tests: they sign what they would sign
 * in life, and send it to the contracts of a development chain.
 */
import {
  AbiCoder,
  Contract,
  type ContractTransactionReceipt,
  type HDNodeWallet,
  hexlify,
  type InterfaceAbi,
  JsonRpcProvider,
  keccak256,
  randomBytes,
  type TypedDataDomain,
  TypedDataEncoder,
  Wallet,
} from 'ethers'
import { call, type DevChain } from '../demo/chain.ts'
import { artifacts } from './artifacts.ts'

/** A channel's config, in the field names of the contract. */
export type Config = {
  readonly payer: string
  readonly payerAuthorizer: string
  readonly receiver: string
  readonly receiverAuthorizer: string
  readonly token: string
  readonly withdrawDelay: number
  readonly salt: string
}

/** One row of a claim, as the contract takes it. */
export type Row = {
  readonly voucher: { readonly channel: Config; readonly maxClaimableAmount: bigint }
  readonly signature: string
  readonly totalClaimed: bigint
}

export type Party = Wallet | HDNodeWallet
export type Stage = Awaited<ReturnType<typeof openStage>>

/** A day: the least delay our own gateway takes. */
export const withdrawDelayS = 86_400

/** Opens the contracts of a running chain; `close` lets go of the connection, not of the chain. */
export function openStage(chain: DevChain) {
  const provider = new JsonRpcProvider(chain.rpc, chain.chainId, {
    staticNetwork: true,
    cacheTimeout: -1,
    pollingInterval: 20,
  })
  const domain = { ...settlementName, chainId: chain.chainId, verifyingContract: chain.settlement }
  const abiOf = ({ abi }: { abi: unknown }) => abi as InterfaceAbi
  const settlement = new Contract(chain.settlement, abiOf(artifacts.settlement), provider)
  const token = new Contract(chain.token, abiOf(artifacts.token), provider)

  return {
    chain,
    settlement,
    token,
    ...signing(chain, domain, provider),
    /** A fresh account with gas and, if asked, tokens. */
    party: async (tokens = 0n): Promise<Party> => {
      const wallet = Wallet.createRandom(provider)
      const address = wallet.address as `0x${string}`
      await chain.fund(address, 10n ** 18n)
      if (tokens > 0n) await chain.mint(address, tokens)
      return wallet
    },
    /** Sends a call and waits for it; throws what the contract throws. */
    send: async (
      contract: Contract,
      from: Party,
      method: string,
      ...args: readonly unknown[]
    ): Promise<ContractTransactionReceipt> => {
      const sent = await contract.connect(from).getFunction(method)(...args)
      return sent.wait()
    },
    /** Lets seconds pass on the chain's own clock. */
    pass: async (seconds: number): Promise<void> => {
      await call(chain.rpc, 'evm_increaseTime', [seconds])
      await call(chain.rpc, 'evm_mine', [])
    },
    close: () => provider.destroy(),
  }
}

/** What each side signs. */
function signing(chain: DevChain, domain: TypedDataDomain, provider: JsonRpcProvider) {
  const channelId = (config: Config) => TypedDataEncoder.hash(domain, types.config, config)
  return {
    channelId,
    voucher: async (config: Config, payer: Party, max: bigint, claimed = max): Promise<Row> => {
      const message = { channelId: channelId(config), maxClaimableAmount: max }
      return {
        voucher: { channel: config, maxClaimableAmount: max },
        signature: await payer.signTypedData(domain, types.voucher, message),
        totalClaimed: claimed,
      }
    },
    signClaims: (rows: readonly Row[], authorizer: Party): Promise<string> =>
      authorizer.signTypedData(domain, types.claimBatch, {
        claims: rows.map(({ voucher, totalClaimed }) => ({
          channelId: channelId(voucher.channel),
          maxClaimableAmount: voucher.maxClaimableAmount,
          totalClaimed,
        })),
      }),
    signRefund: (config: Config, nonce: bigint, amount: bigint, authorizer: Party) =>
      authorizer.signTypedData(domain, types.refund, {
        channelId: channelId(config),
        nonce,
        amount,
      }),
    /** What the EIP-3009 collector takes: the payer's authorization for this one channel. */
    depositData: async (config: Config, payer: Party, amount: bigint): Promise<string> => {
      const salt = hexlify(randomBytes(32))
      const id = channelId(config)
      // By the chain's clock and not by ours: a test may have moved it.
      const now = (await provider.getBlock('latest'))?.timestamp ?? 0
      const validBefore = now + 3600
      const signature = await payer.signTypedData(
        {
          name: chain.tokenName,
          version: chain.tokenVersion,
          chainId: chain.chainId,
          verifyingContract: chain.token,
        },
        types.receive,
        {
          from: payer.address,
          to: chain.collector,
          value: amount,
          validAfter: 0,
          validBefore,
          nonce: keccak256(coder.encode(['bytes32', 'uint256'], [id, salt])),
        },
      )
      return coder.encode(
        ['uint256', 'uint256', 'uint256', 'bytes'],
        [0, validBefore, salt, signature],
      )
    },
  }
}

/** A new channel between these parties; the payer signs its own vouchers unless told otherwise. */
export function channel(stage: Stage, payer: Party, receiver: Party, authorizer: Party): Config {
  return {
    payer: payer.address,
    payerAuthorizer: payer.address,
    receiver: receiver.address,
    receiverAuthorizer: authorizer.address,
    token: stage.chain.token,
    withdrawDelay: withdrawDelayS,
    salt: hexlify(randomBytes(32)),
  }
}

const coder = AbiCoder.defaultAbiCoder()
const settlementName = { name: 'x402 Batch Settlement', version: '1' }

const field = (text: string) => {
  const [type = '', name = ''] = text.split(' ')
  return { type, name }
}
const fields = (...texts: readonly string[]) => texts.map(field)
const types = {
  config: {
    ChannelConfig: fields(
      'address payer',
      'address payerAuthorizer',
      'address receiver',
      'address receiverAuthorizer',
      'address token',
      'uint40 withdrawDelay',
      'bytes32 salt',
    ),
  },
  voucher: { Voucher: fields('bytes32 channelId', 'uint128 maxClaimableAmount') },
  refund: { Refund: fields('bytes32 channelId', 'uint256 nonce', 'uint128 amount') },
  claimBatch: {
    ClaimBatch: fields('ClaimEntry[] claims'),
    ClaimEntry: fields('bytes32 channelId', 'uint128 maxClaimableAmount', 'uint128 totalClaimed'),
  },
  receive: {
    ReceiveWithAuthorization: fields(
      'address from',
      'address to',
      'uint256 value',
      'uint256 validAfter',
      'uint256 validBefore',
      'bytes32 nonce',
    ),
  },
}
