// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DevPermit2} from "../src/DevPermit2.sol";
import {DevToken} from "../src/DevToken.sol";
import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {Permit2Collector} from "../src/Permit2Collector.sol";
import {Actors} from "./Actors.sol";

/// @notice Has a permit, and checks of it only what the test needs: the deadline.
contract PermitToken is DevToken {
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8, bytes32, bytes32) external {
        require(block.timestamp <= deadline);
        _approve(owner, spender, value);
    }
}

/// @notice Deposits by Permit2: for the signed channel, once, with an allowance given before or along with it.
contract Permit2Test is Actors {
    Permit2Collector private permits = new Permit2Collector(address(settlement));
    address private permit2 = address(permits.PERMIT2());

    function setUp() external {
        vm.warp(1_000_000);
        vm.etch(permit2, address(new DevPermit2()).code);
    }

    function testFuzz_isBoundToItsChannelAndWorksOnce(uint96 amount, uint256 salt, uint256 other, uint256 nonce)
        external
    {
        vm.assume(salt != other);
        amount = uint96(bound(amount, 1, type(uint96).max / 2));
        token.mint(payer, 2 * uint256(amount));
        vm.prank(payer);
        token.approve(permit2, type(uint256).max);
        bytes memory data = permitted(configOf(salt), amount, nonce, "");

        vm.expectPartialRevert(DevPermit2.InvalidSigner.selector);
        settlement.deposit(configOf(other), amount, address(permits), data);
        settlement.deposit(configOf(salt), amount, address(permits), data);
        vm.expectPartialRevert(DevPermit2.InvalidNonce.selector);
        settlement.deposit(configOf(salt), amount, address(permits), data);
        assertEq(balanceOf(configOf(salt)), amount, "balance");
    }

    function test_takesAnAllowanceAlongWithTheDeposit() external {
        IBatchSettlement.ChannelConfig memory config = configOf(address(new PermitToken()), receiver, 1);
        DevToken(config.token).mint(payer, 100);
        bytes memory permit = abi.encode(100, block.timestamp, 27, bytes32(0), bytes32(0));
        bytes memory data = permitted(config, 100, 0, permit);
        settlement.deposit(config, 100, address(permits), data);
        assertEq(balanceOf(config), 100, "balance");
    }

    function test_aPermitSpentByAnotherDoesNotStopTheDeposit() external {
        IBatchSettlement.ChannelConfig memory config = configOf(address(new PermitToken()), receiver, 1);
        DevToken(config.token).mint(payer, 100);
        vm.prank(payer);
        DevToken(config.token).approve(permit2, 100);
        bytes memory spent = abi.encode(100, block.timestamp - 1, 27, bytes32(0), bytes32(0));
        bytes memory data = permitted(config, 100, 0, spent);
        settlement.deposit(config, 100, address(permits), data);
        assertEq(balanceOf(config), 100, "balance");
    }

    function permitted(IBatchSettlement.ChannelConfig memory config, uint256 amount, uint256 nonce, bytes memory permit)
        private
        view
        returns (bytes memory)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
                keccak256("Permit2"),
                block.chainid,
                permit2
            )
        );
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,DepositWitness witness)DepositWitness(bytes32 channelId)TokenPermissions(address token,uint256 amount)"
                ),
                keccak256(
                    abi.encode(keccak256("TokenPermissions(address token,uint256 amount)"), config.token, amount)
                ),
                address(permits),
                nonce,
                block.timestamp,
                keccak256(abi.encode(keccak256("DepositWitness(bytes32 channelId)"), settlement.getChannelId(config)))
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, structHash));
        return abi.encode(nonce, block.timestamp, signed(PAYER_KEY, digest), permit);
    }
}
