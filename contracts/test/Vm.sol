// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The few cheatcodes of forge that the tests use.
interface Vm {
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function prank(address sender) external;
    function warp(uint256 timestamp) external;
    function etch(address target, bytes calldata code) external;
    function assume(bool condition) external pure;
    function expectRevert() external;
    function expectPartialRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
}

/// @notice What a test needs of a test framework: the cheatcodes, and assertions that tell both sides.
abstract contract Test {
    error NotEqual(uint256 left, uint256 right, string what);
    error NotTrue(string what);

    // Forge knows a test contract by this.
    bool public constant IS_TEST = true;
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function assertEq(uint256 left, uint256 right, string memory what) internal pure {
        if (left != right) revert NotEqual(left, right, what);
    }

    function assertTrue(bool holds, string memory what) internal pure {
        if (!holds) revert NotTrue(what);
    }

    function bound(uint256 value, uint256 min, uint256 max) internal pure returns (uint256) {
        return min + value % (max - min + 1);
    }
}
