// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IBatchSettlement} from "./IBatchSettlement.sol";

/// @title The typed data of batch settlement (EIP-712)
/// @notice Each function gives what is signed under a domain, as `domain()` computes it.
library Digests {
    bytes32 internal constant CHANNEL_CONFIG_TYPEHASH = keccak256(
        "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
    );
    bytes32 private constant VOUCHER_TYPEHASH = keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)");
    bytes32 private constant REFUND_TYPEHASH = keccak256("Refund(bytes32 channelId,uint256 nonce,uint128 amount)");
    bytes32 private constant CLAIM_ENTRY_TYPEHASH =
        keccak256("ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)");
    bytes32 private constant CLAIM_BATCH_TYPEHASH = keccak256(
        "ClaimBatch(ClaimEntry[] claims)ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
    );
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("x402 Batch Settlement");
    bytes32 private constant VERSION_HASH = keccak256("1");

    /// @dev Computed at each use, from where the code stands: see `IBatchSettlement`.
    function domain() internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, address(this)));
    }

    function channelId(bytes32 separator, IBatchSettlement.ChannelConfig calldata config)
        internal
        pure
        returns (bytes32)
    {
        return _digest(separator, keccak256(abi.encode(CHANNEL_CONFIG_TYPEHASH, config)));
    }

    function voucher(bytes32 separator, bytes32 id, uint128 max) internal pure returns (bytes32) {
        return _digest(separator, keccak256(abi.encode(VOUCHER_TYPEHASH, id, max)));
    }

    function refund(bytes32 separator, bytes32 id, uint256 nonce, uint128 amount) internal pure returns (bytes32) {
        return _digest(separator, keccak256(abi.encode(REFUND_TYPEHASH, id, nonce, amount)));
    }

    /// @dev One element of the list that `claimBatch` takes.
    function claimEntry(bytes32 id, IBatchSettlement.VoucherClaim calldata row) internal pure returns (bytes32) {
        return keccak256(abi.encode(CLAIM_ENTRY_TYPEHASH, id, row.voucher.maxClaimableAmount, row.totalClaimed));
    }

    function claimBatch(bytes32 separator, bytes32[] memory entries) internal pure returns (bytes32) {
        return _digest(separator, keccak256(abi.encode(CLAIM_BATCH_TYPEHASH, keccak256(abi.encodePacked(entries)))));
    }

    function _digest(bytes32 separator, bytes32 structHash) private pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(separator, structHash);
    }
}
