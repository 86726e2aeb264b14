// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBatchSettlement} from "./IBatchSettlement.sol";

/// @title Whom a channel's config names, and who of them may call
library Parties {
    uint40 internal constant MIN_WITHDRAW_DELAY = 15 minutes;
    uint40 internal constant MAX_WITHDRAW_DELAY = 30 days;

    /// @dev Asked at each deposit, and only there: a channel that fails it never holds money.
    function check(IBatchSettlement.ChannelConfig calldata config) internal pure {
        bool missing = config.payer == address(0) || config.receiver == address(0);
        if (missing || config.receiverAuthorizer == address(0) || config.token == address(0)) {
            revert IBatchSettlement.PartyMissing(config);
        }
        uint40 delay = config.withdrawDelay;
        if (delay < MIN_WITHDRAW_DELAY || delay > MAX_WITHDRAW_DELAY) {
            revert IBatchSettlement.WithdrawDelayOutOfRange(delay, MIN_WITHDRAW_DELAY, MAX_WITHDRAW_DELAY);
        }
    }

    function onlyReceiverSide(bytes32 channelId, IBatchSettlement.ChannelConfig calldata config) internal view {
        if (msg.sender != config.receiver && msg.sender != config.receiverAuthorizer) {
            revert IBatchSettlement.NotReceiverSide(channelId, msg.sender);
        }
    }

    function onlyPayerSide(bytes32 channelId, IBatchSettlement.ChannelConfig calldata config) internal view {
        if (msg.sender != config.payer && msg.sender != config.payerAuthorizer) {
            revert IBatchSettlement.NotPayerSide(channelId, msg.sender);
        }
    }
}
