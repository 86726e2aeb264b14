// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token for development chains that is an ERC-20 and nothing more
/// @notice It knows no signed authorizations, so deposits of it go through Permit2; and it can be told to keep
/// a part of every transfer, which a channel must not take. Anyone may mint and anyone may set the fee: it is
/// worth nothing. It needs no constructor, so its code can be put at any address.
contract DevPlainToken is ERC20("", "") {
    uint256 public feePermille;

    function name() public pure override returns (string memory) {
        return "Wayside Plain Dollar";
    }

    function symbol() public pure override returns (string memory) {
        return "plainUSD";
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function setFee(uint256 permille) external {
        feePermille = permille;
    }

    function _update(address from, address to, uint256 value) internal virtual override {
        super._update(from, to, value);
        uint256 fee = value * feePermille / 1000;
        if (from != address(0) && to != address(0) && fee != 0) super._update(to, address(0), fee);
    }
}
