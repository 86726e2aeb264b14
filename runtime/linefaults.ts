/** The faults of the two lines out, to the broker and to the chain; faults.ts says how to read a row. */
export const lineFaults = {
  BROKER_UNREACHABLE: {
    exit: 3,
    says: 'no MQTT broker answers at {url} after {seconds} s: {why}',
    cure: 'check `broker` in the config, the network and the login, or start a broker there',
  },
  BROKER_UNFIT: {
    exit: 3,
    says: 'the MQTT broker {url} does not do what is needed: {why}',
    cure: 'let it keep retained messages and give QoS 1, or take another broker: docs/operating.md has the list',
  },
  BROKER_LOST: {
    exit: 3,
    says: 'the line to the MQTT broker {url} is down',
    cure: 'wait: it is opened again by itself; nothing that was stored is lost',
  },
  BROKER_REFUSED: {
    exit: 3,
    says: 'the MQTT broker {url} refuses {topic}: {why}',
    cure: '{hint}',
  },
  BROKER_LOGIN: {
    exit: 3,
    says: 'the MQTT broker {url} does not let us in: {why}',
    cure: 'check `username`, `passwordFile` and `certFile` of `broker`, and that the broker knows that login',
  },
  BROKER_TLS: {
    exit: 3,
    says: 'TLS with the MQTT broker {url} fails: {why}',
    cure: 'check `caFile`, `certFile` and `keyFile` of `broker`, the name in its certificate, and both clocks',
  },
  BROKER_VERSION: {
    exit: 3,
    says: 'the MQTT broker {url} does not speak MQTT {version}',
    cure: 'leave `version` of `broker` out: the line then speaks what the broker can',
  },
  BROKER_TAKEN_OVER: {
    exit: 3,
    says: 'another client calls itself {clientId} at {url}; it threw us out, {times} times so far',
    cure: 'find it and stop it: a cloned card, a second process, a copied folder; two cannot share one key',
  },
  RETAINED_LEFT: {
    exit: 3,
    says: '{left} topics are still retained at the MQTT broker {url}: {why}',
    cure: 'run `wayside retire` again when the broker is there; nothing is forgotten meanwhile',
  },
  CERT_INVALID: {
    exit: 2,
    says: '{path} does not serve for TLS: {why}',
    cure: 'put a whole PEM file in its place; certificate and key must belong together',
  },
  CHAIN_UNREACHABLE: {
    exit: 3,
    says: 'the blockchain endpoint {rpc} does not answer: {why}',
    cure: 'check the endpoint and the network; nothing is lost meanwhile, and selling goes on',
  },
  CHAIN_DISAGREES: {
    exit: 3,
    says: 'the blockchain endpoints disagree on {what}: {first}, {second}',
    cure: 'wait if one lags behind; replace the endpoint that is wrong',
  },
  CHAIN_LAGS: {
    exit: 3,
    says: 'the blockchain endpoint {rpc} stands {seconds} s behind {other}',
    cure: 'wait; if it stays behind, replace it: no deposit newer than its last block counts',
  },
  CHAIN_OTHER: {
    exit: 2,
    says: 'the endpoint {rpc} serves chain {found}, not {chainId}',
    cure: 'name an endpoint of chain {chainId}, or correct the chain id',
  },
  CHAIN_NO_CONTRACT: {
    exit: 2,
    says: 'there is no settlement contract at {settlement} on chain {chainId}',
    cure: 'check the address; contracts/README.md says how to put one there',
  },
  CHAIN_REFUSED: {
    exit: 3,
    says: 'the contract refuses {action}: {why}',
    cure: 'see contracts/src/IBatchSettlement.sol for what that refusal means',
  },
  CHAIN_SLOW: {
    exit: 3,
    says: 'transaction {hash} was not mined within {seconds} s',
    cure: 'look it up on the chain before you send it again; a claim that is sent twice changes nothing',
  },
  TOKEN_INEXACT: {
    exit: 2,
    says: 'of {amount} deposited only {brought} arrived: the token takes a fee on transfers',
    cure: 'pay in another token of the offer; nothing has left the account but gas',
  },
  TOKEN_UNSIGNED: {
    exit: 2,
    says: 'token {token} knows no ERC-3009, and the offer names no Permit2 collector',
    cure: 'pay in another token of the offer, or ask the seller to name `permit2Collector`',
  },
  TOKEN_MISSING: {
    exit: 2,
    says: 'account {account} has {has} {token}, and {needed} are to be deposited',
    cure: 'send it the rest, or lower the budget; nothing was sent',
  },
  GAS_MISSING: {
    exit: 2,
    says: 'account {account} has too little for gas',
    cure: "send it some of the chain's own coin",
  },
} as const
