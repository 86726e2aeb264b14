// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DepositCollector} from "./DepositCollector.sol";

/// @title What the collector needs of a token that has ERC-3009, such as USDC
interface IReceiveWithAuthorization {
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;
}

/// @title Deposits by a signed ERC-3009 authorization: the payer needs neither gas nor an approval
/// @notice The payer signs ReceiveWithAuthorization to this collector with the nonce
/// keccak256(abi.encode(channelId, salt)): the authorization is good for that one channel. The data is
/// abi.encode(uint256 validAfter, uint256 validBefore, uint256 salt, bytes signature).
contract Eip3009Collector is DepositCollector {
    constructor(address settlement) DepositCollector(settlement) {}

    /// @inheritdoc DepositCollector
    function _collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata data)
        internal
        override
    {
        (uint256 validAfter, uint256 validBefore, uint256 salt, bytes memory signature) =
            abi.decode(data, (uint256, uint256, uint256, bytes));
        IReceiveWithAuthorization(token)
            .receiveWithAuthorization(
                payer, address(this), amount, validAfter, validBefore, keccak256(abi.encode(channelId, salt)), signature
            );
        _forward(token, amount);
    }
}
