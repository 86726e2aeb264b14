// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchSettlement} from "../src/BatchSettlement.sol";
import {DevToken} from "../src/DevToken.sol";
import {Eip3009Collector} from "../src/Eip3009Collector.sol";
import {IBatchSettlement} from "../src/IBatchSettlement.sol";
import {IDepositCollector} from "../src/IDepositCollector.sol";
import {Test} from "./Vm.sol";

/// @notice Takes what was approved to it: a deposit without signatures, for tests about other things.
contract ApprovalCollector is IDepositCollector {
    function collect(address payer, address token, uint256 amount, bytes32, bytes calldata) external {
        DevToken(token).transferFrom(payer, msg.sender, amount);
    }
}

/// @notice Both sides of a channel, with their keys, on contracts of their own.
abstract contract Actors is Test {
    uint256 internal constant PAYER_KEY = 0xa11ce;
    uint256 internal constant VOUCHER_KEY = 0xa070;
    uint256 internal constant AUTHORIZER_KEY = 0xb0b;
    uint40 internal constant DELAY = 1 days;

    BatchSettlement internal settlement = new BatchSettlement();
    DevToken internal token = new DevToken();
    ApprovalCollector internal approval = new ApprovalCollector();
    Eip3009Collector internal collector = new Eip3009Collector(address(settlement));

    address internal payer = vm.addr(PAYER_KEY);
    address internal authorizer = vm.addr(AUTHORIZER_KEY);
    address internal receiver = address(0xcafe);
    address internal stranger = address(0xdead);

    function configOf(uint256 salt) internal view returns (IBatchSettlement.ChannelConfig memory) {
        return configOf(address(token), receiver, salt);
    }

    function configOf(address ofToken, address to, uint256 salt)
        internal
        view
        returns (IBatchSettlement.ChannelConfig memory)
    {
        return IBatchSettlement.ChannelConfig({
            payer: payer,
            payerAuthorizer: vm.addr(VOUCHER_KEY),
            receiver: to,
            receiverAuthorizer: authorizer,
            token: ofToken,
            withdrawDelay: DELAY,
            salt: bytes32(salt)
        });
    }

    function depositTo(IBatchSettlement.ChannelConfig memory config, uint128 amount) internal {
        DevToken(config.token).mint(config.payer, amount);
        vm.prank(config.payer);
        DevToken(config.token).approve(address(approval), amount);
        settlement.deposit(config, amount, address(approval), "");
    }

    function row(IBatchSettlement.ChannelConfig memory config, uint128 max, uint128 claimed)
        internal
        view
        returns (IBatchSettlement.VoucherClaim memory)
    {
        bytes memory signature = signed(VOUCHER_KEY, settlement.getVoucherDigest(settlement.getChannelId(config), max));
        return IBatchSettlement.VoucherClaim(IBatchSettlement.Voucher(config, max), signature, claimed);
    }

    function rows(IBatchSettlement.ChannelConfig memory config, uint128 max, uint128 claimed)
        internal
        view
        returns (IBatchSettlement.VoucherClaim[] memory list)
    {
        list = new IBatchSettlement.VoucherClaim[](1);
        list[0] = row(config, max, claimed);
    }

    function claimFrom(IBatchSettlement.ChannelConfig memory config, uint128 max, uint128 claimed) internal {
        IBatchSettlement.VoucherClaim[] memory list = rows(config, max, claimed);
        vm.prank(config.receiver);
        settlement.claim(list);
    }

    function balanceOf(IBatchSettlement.ChannelConfig memory config) internal view returns (uint128 balance) {
        (balance,) = settlement.channels(settlement.getChannelId(config));
    }

    function claimedOf(IBatchSettlement.ChannelConfig memory config) internal view returns (uint128 claimed) {
        (, claimed) = settlement.channels(settlement.getChannelId(config));
    }

    function signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
