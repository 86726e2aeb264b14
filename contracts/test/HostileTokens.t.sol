// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {DevToken} from "../src/DevToken.sol";
import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {IDepositCollector} from "../src/IDepositCollector.sol";
import {Actors} from "./Actors.sol";

/// @notice Takes one in a hundred of each transfer.
contract FeeToken is DevToken {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(to, address(0), value / 100);
    }
}

/// @notice Says false instead of reverting, once told to.
contract FalseToken is DevToken {
    bool private lying;

    function lie() external {
        lying = true;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return lying ? false : super.transfer(to, value);
    }
}

/// @notice Calls whatever it was told to during each transfer.
contract ReentrantToken is DevToken {
    address private target;
    bytes private data;
    bytes public answer;
    bool public succeeded;

    function arm(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (target == address(0)) return;
        address callee = target;
        target = address(0);
        (succeeded, answer) = callee.call(data);
    }
}

/// @notice A collector that brings less than announced.
contract ShortCollector is IDepositCollector {
    function collect(address payer, address token, uint256 amount, bytes32, bytes calldata) external {
        DevToken(token).transferFrom(payer, msg.sender, amount - 1);
    }
}

/// @notice A collector that brings the money of another deposit's refund: it tries to be counted twice.
contract ReentrantCollector is IDepositCollector {
    bytes private data;

    constructor(bytes memory data_) {
        data = data_;
    }

    function collect(address, address, uint256, bytes32, bytes calldata) external {
        (bool ok, bytes memory answer) = msg.sender.call(data);
        require(!ok && bytes4(answer) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
    }
}

/// @notice Tokens and collectors that break their promises hurt only who chose them, and books stay true.
contract HostileTokensTest is Actors {
    function testFuzz_aFeeIsRefused(uint128 amount) external {
        amount = uint128(bound(amount, 100, type(uint96).max));
        IBatchSettlement.ChannelConfig memory config = configOf(address(new FeeToken()), receiver, 1);
        DevToken(config.token).mint(payer, amount);
        vm.prank(payer);
        DevToken(config.token).approve(address(approval), amount);
        vm.expectRevert(
            abi.encodeWithSelector(IBatchSettlement.DepositNotExact.selector, amount - amount / 100, amount)
        );
        settlement.deposit(config, amount, address(approval), "");
    }

    function testFuzz_aShortCollectorIsRefused(uint128 amount) external {
        amount = uint128(bound(amount, 1, type(uint96).max));
        ShortCollector short = new ShortCollector();
        token.mint(payer, amount);
        vm.prank(payer);
        token.approve(address(short), amount);
        vm.expectRevert(abi.encodeWithSelector(IBatchSettlement.DepositNotExact.selector, amount - 1, amount));
        settlement.deposit(configOf(1), amount, address(short), "");
    }

    function test_aCollectorThatReentersBringsNothing() external {
        depositTo(configOf(1), 100);
        claimFrom(configOf(1), 50, 50);
        ReentrantCollector reentrant =
            new ReentrantCollector(abi.encodeCall(settlement.settle, (receiver, address(token))));
        vm.expectRevert(abi.encodeWithSelector(IBatchSettlement.DepositNotExact.selector, 0, 10));
        settlement.deposit(configOf(2), 10, address(reentrant), "");
    }

    function test_aTokenThatSaysFalseIsNotPaidOut() external {
        FalseToken liar = new FalseToken();
        IBatchSettlement.ChannelConfig memory config = configOf(address(liar), receiver, 1);
        depositTo(config, 100);
        claimFrom(config, 60, 60);
        liar.lie();
        vm.expectRevert();
        settlement.settle(receiver, address(liar));
        vm.prank(receiver);
        vm.expectRevert();
        settlement.refund(config, 40);
        (uint128 claimed, uint128 settled) = settlement.receivers(receiver, address(liar));
        assertEq(claimed, 60, "claimed");
        assertEq(settled, 0, "settled");
        assertEq(balanceOf(config), 100, "balance");
    }

    function test_aTokenCannotSettleTwiceByReentering() external {
        ReentrantToken sly = new ReentrantToken();
        IBatchSettlement.ChannelConfig memory config = configOf(address(sly), receiver, 1);
        depositTo(config, 100);
        claimFrom(config, 60, 60);
        sly.arm(address(settlement), abi.encodeCall(settlement.settle, (receiver, address(sly))));
        settlement.settle(receiver, address(sly));
        assertTrue(!sly.succeeded(), "the second settle failed");
        assertEq(sly.balanceOf(receiver), 60, "paid");
        assertEq(sly.balanceOf(address(settlement)), 40, "kept");
    }

    function testFuzz_blacklistingOneSideNeverBlocksTheOther(uint96 deposited, uint96 claimed, bool blockPayer)
        external
    {
        deposited = uint96(bound(deposited, 2, type(uint96).max));
        claimed = uint96(bound(claimed, 1, deposited - 1));
        IBatchSettlement.ChannelConfig memory config = configOf(1);
        depositTo(config, deposited);
        claimFrom(config, claimed, claimed);
        token.setBlacklisted(blockPayer ? payer : receiver, true);
        if (blockPayer) {
            settlement.settle(receiver, address(token));
            assertEq(token.balanceOf(receiver), claimed, "settled");
        } else {
            vm.prank(payer);
            settlement.initiateWithdraw(config, deposited - claimed);
            vm.warp(block.timestamp + DELAY);
            vm.prank(payer);
            settlement.finalizeWithdraw(config);
            assertEq(token.balanceOf(payer), deposited - claimed, "withdrawn");
        }
    }
}
