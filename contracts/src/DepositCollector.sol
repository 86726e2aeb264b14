// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IDepositCollector} from "./IDepositCollector.sol";

/// @title What every collector has in common: it serves one settlement contract
abstract contract DepositCollector is IDepositCollector {
    using SafeERC20 for IERC20;

    /// @notice The only contract that this collector brings tokens to.
    address public immutable SETTLEMENT;

    constructor(address settlement) {
        SETTLEMENT = settlement;
    }

    /// @inheritdoc IDepositCollector
    function collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata data) external {
        if (msg.sender != SETTLEMENT) revert NotSettlement(msg.sender, SETTLEMENT);
        _collect(payer, token, amount, channelId, data);
    }

    /// @dev Leaves exactly `amount` with the settlement contract, or reverts.
    function _collect(address payer, address token, uint256 amount, bytes32 channelId, bytes calldata data)
        internal
        virtual;

    function _forward(address token, uint256 amount) internal {
        IERC20(token).safeTransfer(SETTLEMENT, amount);
    }
}
