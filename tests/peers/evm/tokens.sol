// SPDX-License-Identifier: Apache-2.0
// Tokens to pay in tests: one as everybody makes them, and three that show why a log is asked for.
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// OpenZeppelin's ERC-20; its maker gets the supply.
contract Coin is ERC20 {
    constructor(uint256 supply) ERC20("Coin", "COIN") {
        _mint(msg.sender, supply);
    }
}

/// Takes one unit in a hundred of each payment for itself, as some real tokens do: the payee gets less.
contract TaxedCoin is ERC20 {
    constructor(uint256 supply) ERC20("Taxed Coin", "TAX") {
        _mint(msg.sender, supply);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0)) {
            super._update(from, to, value);
        } else {
            uint256 tax = value / 100;
            super._update(from, address(this), tax);
            super._update(from, to, value - tax);
        }
    }
}

/// Says that it has paid and has not.
contract SilentCoin {
    function transfer(address, uint256) external pure returns (bool) {
        return true;
    }
}

/// Returns nothing, as one of the largest real tokens does, but pays.
contract MuteCoin {
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(uint256 supply) {
        balanceOf[msg.sender] = supply;
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
    }
}
