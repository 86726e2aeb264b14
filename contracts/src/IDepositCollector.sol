// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Brings a payer's tokens to the settlement contract
/// @notice One collector per way of authorizing a transfer. A collector holds nothing between calls.
interface IDepositCollector {
    /// @notice Only the settlement contract may ask: whoever else could would turn a payer's authorization
    /// into a deposit of its own choosing.
    error NotSettlement(address caller, address settlement);

    /// @notice Moves `amount` of `token` from `payer` to the caller, which is the settlement contract.
    /// @param channelId The channel that the payer authorized; every collector binds the authorization to it.
    /// @param data The payer's authorization, in the collector's own encoding.
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata data) external;
}
