// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DepositCollector} from "./DepositCollector.sol";

/// @title What the collector needs of Uniswap's Permit2
interface IPermit2 {
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    /// @notice Moves what the owner signed for the caller, bound to a witness; `witnessTypeString` completes
    /// the signed type after its stub.
    function permitWitnessTransferFrom(
        PermitTransferFrom memory permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external;
}

/// @title What the collector needs of a token that has ERC-2612
interface IPermit {
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;
}

/// @title Deposits by a signed Permit2 transfer, for tokens without ERC-3009
/// @notice The payer signs PermitWitnessTransferFrom with this collector as spender and the channel as
/// witness: the permit is good for that one channel. The data is
/// abi.encode(uint256 nonce, uint256 deadline, bytes signature, bytes permit), where `permit` is empty or
/// abi.encode(uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s), an ERC-2612 permit by which
/// the payer allows Permit2 to move its tokens in the first place.
contract Permit2Collector is DepositCollector {
    IPermit2 public constant PERMIT2 = IPermit2(0x000000000022D473030F116dDEE9F6B43aC78BA3);

    bytes32 private constant WITNESS_TYPEHASH = keccak256("DepositWitness(bytes32 channelId)");
    string private constant WITNESS_TYPE =
        "DepositWitness witness)DepositWitness(bytes32 channelId)TokenPermissions(address token,uint256 amount)";

    constructor(address settlement) DepositCollector(settlement) {}

    /// @inheritdoc DepositCollector
    function _collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata data)
        internal
        override
    {
        (uint256 nonce, uint256 deadline, bytes memory signature, bytes memory permit) =
            abi.decode(data, (uint256, uint256, bytes, bytes));
        if (permit.length != 0) _allow(payer, token, permit);
        PERMIT2.permitWitnessTransferFrom(
            IPermit2.PermitTransferFrom(IPermit2.TokenPermissions(token, amount), nonce, deadline),
            IPermit2.SignatureTransferDetails(SETTLEMENT, amount),
            payer,
            keccak256(abi.encode(WITNESS_TYPEHASH, channelId)),
            WITNESS_TYPE,
            signature
        );
    }

    /// @dev A permit can be spent ahead of us by anyone who saw it, to the same effect; so its failure is not
    /// ours. If the allowance is missing, Permit2's transfer fails.
    function _allow(address payer, address token, bytes memory permit) private {
        (uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) =
            abi.decode(permit, (uint256, uint256, uint8, bytes32, bytes32));
        try IPermit(token).permit(payer, address(PERMIT2), value, deadline, v, r, s) {} catch {}
    }
}
