// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {Actors} from "./Actors.sol";

/// @notice Everybody acting at random on three channels of two receivers, with what each step must keep.
contract Market is Actors {
    uint256 internal constant CHANNELS = 3;
    address internal other = address(0xbeef);

    /// @dev The highest total the payer signed, per channel.
    uint128[CHANNELS] public signedMax;
    uint128[CHANNELS] private claimedBefore;
    uint256[CHANNELS] private nonceBefore;
    string public broken;

    function deposit(uint256 which, uint128 amount) external kept {
        depositTo(config(which), uint128(bound(amount, 1, 1e12)));
    }

    function claim(uint256 which, uint128 max, uint128 claimed) external kept {
        IBatchSettlement.VoucherClaim[] memory list = someRows(which, max, claimed);
        vm.prank(authorizer);
        settlement.claim(list);
    }

    function claimAll(uint128 max, uint128 claimed) external kept {
        IBatchSettlement.VoucherClaim[] memory list = new IBatchSettlement.VoucherClaim[](CHANNELS);
        for (uint256 i = 0; i < CHANNELS; ++i) {
            list[i] = someRows(i, max, claimed)[0];
        }
        settlement.claimWithSignature(list, signed(AUTHORIZER_KEY, settlement.getClaimBatchDigest(list)));
    }

    function settle(bool first) external kept {
        settlement.settle(first ? receiver : other, address(token));
    }

    function refund(uint256 which, uint128 amount) external kept {
        uint128 most = uint128(bound(amount, 1, unclaimed(which) / 4 + 1));
        vm.prank(authorizer);
        settlement.refund(config(which), most);
    }

    function claimRefundAndSettleTwice(uint256 which, uint128 max, uint128 claimed) external kept {
        bytes[] memory calls = new bytes[](6);
        for (uint256 i = 0; i < 6; i += 3) {
            calls[i] = abi.encodeCall(settlement.claim, (someRows(which, max, claimed)));
            calls[i + 1] = abi.encodeCall(settlement.refund, (config(which), 1 + claimed % 100));
            calls[i + 2] = abi.encodeCall(settlement.settle, (config(which).receiver, address(token)));
        }
        vm.prank(authorizer);
        settlement.multicall(calls);
    }

    function withdraw(uint256 which, uint128 amount) external kept {
        uint256 most = unclaimed(which);
        if (most == 0) return;
        vm.prank(payer);
        settlement.initiateWithdraw(config(which), uint128(bound(amount, 1, most)));
    }

    function finish(uint256 which) external kept {
        (, uint40 since) = settlement.pendingWithdrawals(settlement.getChannelId(config(which)));
        if (since == 0) return;
        if (block.timestamp < since + DELAY) vm.warp(since + DELAY);
        vm.prank(payer);
        settlement.finalizeWithdraw(config(which));
    }

    function pass(uint32 timeS) external {
        vm.warp(block.timestamp + timeS % DELAY);
    }

    function held() external view returns (uint256) {
        return token.balanceOf(address(settlement));
    }

    function owed() external view returns (uint256 sum) {
        for (uint256 i = 0; i < CHANNELS; ++i) {
            sum += balanceOf(config(i)) - claimedOf(config(i));
        }
        (uint128 claimed, uint128 settled) = settlement.receivers(receiver, address(token));
        sum += claimed - settled;
        (claimed, settled) = settlement.receivers(other, address(token));
        sum += claimed - settled;
    }

    function withinBounds() external view returns (bool) {
        for (uint256 i = 0; i < CHANNELS; ++i) {
            uint128 claimed = claimedOf(config(i));
            if (claimed > balanceOf(config(i)) || claimed > signedMax[i]) return false;
        }
        return true;
    }

    /// @dev One row that the payer signed, for any total up to its balance and a little over.
    function someRows(uint256 which, uint128 max, uint128 claimed)
        private
        returns (IBatchSettlement.VoucherClaim[] memory)
    {
        which %= CHANNELS;
        max = uint128(bound(max, 0, uint256(balanceOf(config(which))) * 21 / 20));
        if (max > signedMax[which]) signedMax[which] = max;
        return rows(config(which), max, uint128(bound(claimed, 0, max)));
    }

    function unclaimed(uint256 which) private view returns (uint256) {
        return balanceOf(config(which)) - claimedOf(config(which));
    }

    function config(uint256 which) private view returns (IBatchSettlement.ChannelConfig memory) {
        which %= CHANNELS;
        return configOf(address(token), which == 0 ? receiver : other, which);
    }

    /// @dev Totals and nonces only grow, whatever the step was.
    modifier kept() {
        _;
        for (uint256 i = 0; i < CHANNELS; ++i) {
            uint128 claimed = claimedOf(config(i));
            uint256 nonce = settlement.refundNonce(settlement.getChannelId(config(i)));
            if (claimed < claimedBefore[i]) broken = "a channel's total went down";
            if (nonce < nonceBefore[i]) broken = "a nonce went down";
            (claimedBefore[i], nonceBefore[i]) = (claimed, nonce);
        }
    }
}

/// @notice After any sequence of steps the books balance to the unit.
contract BooksTest is Actors {
    Market private market = new Market();

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(market);
    }

    function invariant_theContractHoldsExactlyWhatItOwes() external view {
        assertEq(market.held(), market.owed(), "tokens held and owed");
    }

    function invariant_nothingIsClaimedOverBalanceOrVoucher() external view {
        assertTrue(market.withinBounds(), "claims within balance and voucher");
    }

    function invariant_totalsAndNoncesOnlyGrow() external view {
        assertTrue(bytes(market.broken()).length == 0, market.broken());
    }
}
