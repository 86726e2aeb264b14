// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {IDepositCollector} from "../src/IDepositCollector.sol";
import {Actors} from "./Actors.sol";

/// @notice What each side can and cannot do, for any amounts. The tree:
///
/// deposit   any amount goes in whole · a zero or missing party, delay out of range, zero amount are refused
/// claim     never over voucher, never over balance, never down · other keys and callers are refused
/// refund    never touches claimed money · a nonce works once · shrinks a pending withdrawal
/// withdraw  not before the delay · never what was claimed inside it
/// multicall nothing that separate calls could not do
contract BatchSettlementTest is Actors {
    function testFuzz_depositGoesInWhole(uint128 first, uint128 second) external {
        first = uint128(bound(first, 1, type(uint96).max));
        second = uint128(bound(second, 1, type(uint96).max));
        IBatchSettlement.ChannelConfig memory config = configOf(1);
        depositTo(config, first);
        depositTo(config, second);
        assertEq(balanceOf(config), uint256(first) + second, "balance");
        assertEq(token.balanceOf(address(settlement)), uint256(first) + second, "tokens held");
    }

    function test_depositRefusesWhatIsNoChannel() external {
        IBatchSettlement.ChannelConfig memory config = configOf(1);
        vm.expectPartialRevert(IBatchSettlement.ZeroAmount.selector);
        settlement.deposit(config, 0, address(approval), "");

        config.receiverAuthorizer = address(0);
        vm.expectRevert(abi.encodeWithSelector(IBatchSettlement.PartyMissing.selector, config));
        settlement.deposit(config, 1, address(approval), "");

        config = configOf(1);
        config.withdrawDelay = 15 minutes - 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                IBatchSettlement.WithdrawDelayOutOfRange.selector, 15 minutes - 1, 15 minutes, 30 days
            )
        );
        settlement.deposit(config, 1, address(approval), "");
    }

    function testFuzz_depositIsBoundToItsChannel(uint128 amount, uint256 salt, uint256 other) external {
        vm.assume(salt != other);
        amount = uint128(bound(amount, 1, type(uint96).max));
        token.mint(payer, amount);
        bytes32 channelId = settlement.getChannelId(configOf(salt));
        bytes memory data = authorization(channelId, amount);
        vm.expectRevert();
        settlement.deposit(configOf(other), amount, address(collector), data);
        settlement.deposit(configOf(salt), amount, address(collector), data);
        assertEq(balanceOf(configOf(salt)), amount, "balance");
    }

    function testFuzz_onlyTheSettlementMayCollect(uint128 amount, address thief) external {
        vm.assume(thief != address(settlement));
        amount = uint128(bound(amount, 1, type(uint96).max));
        token.mint(payer, amount);
        bytes32 channelId = settlement.getChannelId(configOf(1));
        bytes memory data = authorization(channelId, amount);
        vm.prank(thief);
        vm.expectRevert(abi.encodeWithSelector(IDepositCollector.NotSettlement.selector, thief, address(settlement)));
        collector.collect(payer, address(token), amount, channelId, data);
    }

    function testFuzz_claimNeverPassesVoucherOrBalance(uint128 deposited, uint128 max, uint128 claimed) external {
        deposited = uint128(bound(deposited, 1, type(uint96).max));
        IBatchSettlement.ChannelConfig memory config = configOf(1);
        depositTo(config, deposited);
        IBatchSettlement.VoucherClaim[] memory list = rows(config, max, claimed);
        if (claimed > max || claimed > deposited) vm.expectRevert();
        vm.prank(receiver);
        settlement.claim(list);
        bool allowed = claimed <= max && claimed <= deposited;
        assertEq(claimedOf(config), allowed ? claimed : 0, "claimed");
    }

    function testFuzz_claimNeverGoesDown(uint96 first, uint96 second) external {
        IBatchSettlement.ChannelConfig memory config = configOf(1);
        depositTo(config, type(uint96).max);
        claimFrom(config, first, first);
        claimFrom(config, second, second);
        uint96 most = first > second ? first : second;
        assertEq(claimedOf(config), most, "channel");
        (uint128 total,) = settlement.receivers(receiver, address(token));
        assertEq(total, most, "receiver");
    }

    function testFuzz_claimWantsTheRightKeyAndCaller(uint256 key, address caller) external {
        key = bound(key, 1, type(uint128).max);
        vm.assume(key != VOUCHER_KEY && caller != receiver && caller != authorizer);
        IBatchSettlement.ChannelConfig memory config = configOf(1);
        depositTo(config, 100);
        IBatchSettlement.VoucherClaim[] memory list = rows(config, 50, 50);
        vm.prank(caller);
        vm.expectPartialRevert(IBatchSettlement.NotReceiverSide.selector);
        settlement.claim(list);

        bytes32 digest = settlement.getVoucherDigest(settlement.getChannelId(config), 50);
        list[0].signature = signed(key, digest);
        vm.prank(receiver);
        vm.expectPartialRevert(IBatchSettlement.VoucherNotSigned.selector);
        settlement.claim(list);
    }

    function testFuzz_refundCannotTouchClaimedMoney(uint96 deposited, uint96 claimed, uint128 asked) external {
        deposited = uint96(bound(deposited, 1, type(uint96).max));
        claimed = uint96(bound(claimed, 0, deposited));
        asked = uint128(bound(asked, 1, type(uint128).max));
        IBatchSettlement.ChannelConfig memory config = configOf(1);
        depositTo(config, deposited);
        claimFrom(config, claimed, claimed);
        vm.prank(receiver);
        settlement.refund(config, asked);
        uint256 unclaimed = deposited - claimed;
        assertEq(token.balanceOf(payer), asked < unclaimed ? asked : unclaimed, "refunded");
        settlement.settle(receiver, address(token));
        assertEq(token.balanceOf(receiver), claimed, "settled");
    }

    function testFuzz_refundNonceWorksOnce(uint96 amount, uint256 nonce) external {
        amount = uint96(bound(amount, 1, type(uint96).max));
        IBatchSettlement.ChannelConfig memory config = configOf(1);
        depositTo(config, amount);
        bytes32 channelId = settlement.getChannelId(config);
        bytes memory signature = signed(AUTHORIZER_KEY, settlement.getRefundDigest(channelId, nonce, amount));
        if (nonce != 0) vm.expectPartialRevert(IBatchSettlement.WrongRefundNonce.selector);
        settlement.refundWithSignature(config, amount, nonce, signature);
        if (nonce != 0) return;
        vm.expectPartialRevert(IBatchSettlement.WrongRefundNonce.selector);
        settlement.refundWithSignature(config, amount, nonce, signature);
        assertEq(settlement.refundNonce(channelId), 1, "nonce");
    }

    function testFuzz_refundShrinksAPendingWithdrawal(uint96 deposited, uint96 wanted, uint96 refunded) external {
        deposited = uint96(bound(deposited, 1, type(uint96).max));
        wanted = uint96(bound(wanted, 1, deposited));
        refunded = uint96(bound(refunded, 1, deposited));
        IBatchSettlement.ChannelConfig memory config = configOf(1);
        depositTo(config, deposited);
        vm.prank(payer);
        settlement.initiateWithdraw(config, wanted);
        vm.prank(authorizer);
        settlement.refund(config, refunded);
        (uint128 pending, uint40 since) = settlement.pendingWithdrawals(settlement.getChannelId(config));
        assertEq(pending, wanted > refunded ? wanted - refunded : 0, "pending");
        assertTrue((since == 0) == (pending == 0), "a withdrawal of nothing is none");
    }

    function testFuzz_withdrawalLeavesWhatWasClaimedInsideTheDelay(uint96 deposited, uint96 wanted, uint96 claimed)
        external
    {
        deposited = uint96(bound(deposited, 1, type(uint96).max));
        wanted = uint96(bound(wanted, 1, deposited));
        claimed = uint96(bound(claimed, 0, deposited));
        IBatchSettlement.ChannelConfig memory config = configOf(1);
        depositTo(config, deposited);
        vm.prank(payer);
        settlement.initiateWithdraw(config, wanted);
        vm.warp(block.timestamp + DELAY - 1);
        vm.prank(payer);
        vm.expectPartialRevert(IBatchSettlement.WithdrawalTooEarly.selector);
        settlement.finalizeWithdraw(config);

        claimFrom(config, claimed, claimed);
        vm.warp(block.timestamp + 1);
        vm.prank(payer);
        settlement.finalizeWithdraw(config);
        uint256 left = deposited - claimed;
        assertEq(token.balanceOf(payer), wanted < left ? wanted : left, "withdrawn");
        settlement.settle(receiver, address(token));
        assertEq(token.balanceOf(receiver), claimed, "settled");
    }

    function testFuzz_multicallKeepsTheCaller(address caller) external {
        vm.assume(caller != receiver && caller != authorizer && caller != address(settlement));
        IBatchSettlement.ChannelConfig memory config = configOf(1);
        depositTo(config, 100);
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(settlement.refund, (config, 100));
        vm.prank(caller);
        vm.expectPartialRevert(IBatchSettlement.NotReceiverSide.selector);
        settlement.multicall(calls);

        bytes[] memory nested = new bytes[](1);
        nested[0] = abi.encodeCall(settlement.multicall, (calls));
        vm.prank(caller);
        vm.expectPartialRevert(IBatchSettlement.NotReceiverSide.selector);
        settlement.multicall(nested);
    }

    function test_aBatchAddsUpEachReceiver() external {
        IBatchSettlement.VoucherClaim[] memory list = new IBatchSettlement.VoucherClaim[](4);
        for (uint256 i = 0; i < 4; ++i) {
            // Receivers alternate, so that sums start, stop and start again.
            IBatchSettlement.ChannelConfig memory config = configOf(address(token), i % 2 == 0 ? receiver : stranger, i);
            depositTo(config, 100);
            list[i] = row(config, 100, uint128(10 + i));
        }
        bytes memory signature = signed(AUTHORIZER_KEY, settlement.getClaimBatchDigest(list));
        settlement.claimWithSignature(list, signature);
        settlement.claimWithSignature(list, signature);
        (uint128 even,) = settlement.receivers(receiver, address(token));
        (uint128 odd,) = settlement.receivers(stranger, address(token));
        assertEq(even, 10 + 12, "even rows");
        assertEq(odd, 11 + 13, "odd rows");
    }

    function authorization(bytes32 channelId, uint256 amount) private view returns (bytes memory) {
        bytes32 nonce = keccak256(abi.encode(channelId, uint256(7)));
        uint256 validBefore = block.timestamp + 1 hours;
        bytes32 structHash = keccak256(
            abi.encode(token.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(), payer, collector, amount, 0, validBefore, nonce)
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash));
        return abi.encode(0, validBefore, 7, signed(PAYER_KEY, digest));
    }
}
