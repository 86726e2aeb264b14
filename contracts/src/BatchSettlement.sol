// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IBatchSettlement} from "./IBatchSettlement.sol";
import {IDepositCollector} from "./IDepositCollector.sol";

/// @title Batch settlement
/// @notice The rules are told in `IBatchSettlement`. No owner, no fee, no upgrade.
contract BatchSettlement is IBatchSettlement, Multicall, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct Channel {
        uint128 balance;
        uint128 totalClaimed;
    }

    struct Withdrawal {
        uint128 amount;
        uint40 initiatedAt;
    }

    struct Receiver {
        uint128 totalClaimed;
        uint128 totalSettled;
    }

    uint40 public constant MIN_WITHDRAW_DELAY = 15 minutes;
    uint40 public constant MAX_WITHDRAW_DELAY = 30 days;

    /// @inheritdoc IBatchSettlement
    bytes32 public constant CHANNEL_CONFIG_TYPEHASH = keccak256(
        "ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)"
    );
    bytes32 private constant VOUCHER_TYPEHASH = keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)");
    bytes32 private constant REFUND_TYPEHASH = keccak256("Refund(bytes32 channelId,uint256 nonce,uint128 amount)");
    bytes32 private constant CLAIM_ENTRY_TYPEHASH =
        keccak256("ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)");
    bytes32 private constant CLAIM_BATCH_TYPEHASH = keccak256(
        "ClaimBatch(ClaimEntry[] claims)ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
    );
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("x402 Batch Settlement");
    bytes32 private constant VERSION_HASH = keccak256("1");

    /// @inheritdoc IBatchSettlement
    mapping(bytes32 channelId => Channel) public channels;
    /// @inheritdoc IBatchSettlement
    mapping(bytes32 channelId => Withdrawal) public pendingWithdrawals;
    /// @inheritdoc IBatchSettlement
    mapping(bytes32 channelId => uint256) public refundNonce;
    /// @inheritdoc IBatchSettlement
    mapping(address receiver => mapping(address token => Receiver)) public receivers;

    /// @inheritdoc IBatchSettlement
    function deposit(ChannelConfig calldata config, uint128 amount, address collector, bytes calldata collectorData)
        external
        nonReentrant
    {
        if (amount == 0) revert ZeroAmount();
        _checkConfig(config);
        bytes32 channelId = getChannelId(config);
        Channel memory channel = channels[channelId];
        uint256 balance = uint256(channel.balance) + amount;
        if (balance > type(uint128).max) revert BalanceTooLarge(balance, type(uint128).max);

        // The cast cannot cut: the line above bounds it.
        // forge-lint: disable-next-line(unsafe-typecast)
        channels[channelId].balance = uint128(balance);
        if (channel.balance == 0 && channel.totalClaimed == 0) emit ChannelCreated(channelId, config);
        // forge-lint: disable-next-line(unsafe-typecast)
        emit Deposited(channelId, msg.sender, amount, uint128(balance));

        IERC20 token = IERC20(config.token);
        uint256 before = token.balanceOf(address(this));
        IDepositCollector(collector).collect(config.payer, config.token, amount, channelId, collectorData);
        uint256 brought = token.balanceOf(address(this)) - before;
        if (brought != amount) revert DepositNotExact(brought, amount);
    }

    /// @inheritdoc IBatchSettlement
    function claim(VoucherClaim[] calldata voucherClaims) external nonReentrant {
        uint256 count = voucherClaims.length;
        if (count == 0) revert EmptyBatch();
        bytes32 domain = _domain();
        for (uint256 i = 0; i < count; ++i) {
            VoucherClaim calldata row = voucherClaims[i];
            ChannelConfig calldata config = row.voucher.channel;
            bytes32 channelId = _channelId(domain, config);
            _checkReceiverSide(channelId, config);
            _claim(domain, channelId, row);
        }
    }

    /// @inheritdoc IBatchSettlement
    function claimWithSignature(VoucherClaim[] calldata voucherClaims, bytes calldata authorizerSignature)
        external
        nonReentrant
    {
        uint256 count = voucherClaims.length;
        if (count == 0) revert EmptyBatch();
        bytes32 domain = _domain();
        address authorizer = voucherClaims[0].voucher.channel.receiverAuthorizer;
        bytes32[] memory entries = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            VoucherClaim calldata row = voucherClaims[i];
            ChannelConfig calldata config = row.voucher.channel;
            bytes32 channelId = _channelId(domain, config);
            if (config.receiverAuthorizer != authorizer) {
                revert AuthorizerDiffers(channelId, config.receiverAuthorizer, authorizer);
            }
            entries[i] = _claimEntry(channelId, row);
            _claim(domain, channelId, row);
        }
        _checkAuthorizer(authorizer, _claimBatchDigest(domain, entries), authorizerSignature);
    }

    /// @inheritdoc IBatchSettlement
    function settle(address receiver, address token) external nonReentrant {
        Receiver storage account = receivers[receiver][token];
        uint128 totalClaimed = account.totalClaimed;
        uint128 amount = totalClaimed - account.totalSettled;
        if (amount == 0) return;

        account.totalSettled = totalClaimed;
        emit Settled(receiver, token, msg.sender, amount);

        IERC20(token).safeTransfer(receiver, amount);
    }

    /// @inheritdoc IBatchSettlement
    function refund(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        bytes32 channelId = getChannelId(config);
        _checkReceiverSide(channelId, config);
        _refund(channelId, config, amount);
    }

    /// @inheritdoc IBatchSettlement
    function refundWithSignature(
        ChannelConfig calldata config,
        uint128 amount,
        uint256 nonce,
        bytes calldata receiverAuthorizerSignature
    ) external nonReentrant {
        bytes32 channelId = getChannelId(config);
        uint256 expected = refundNonce[channelId];
        if (nonce != expected) revert WrongRefundNonce(channelId, nonce, expected);
        _checkAuthorizer(
            config.receiverAuthorizer, getRefundDigest(channelId, nonce, amount), receiverAuthorizerSignature
        );
        _refund(channelId, config, amount);
    }

    /// @inheritdoc IBatchSettlement
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external nonReentrant {
        if (amount == 0) revert ZeroAmount();
        bytes32 channelId = getChannelId(config);
        _checkPayerSide(channelId, config);
        uint40 initiatedAt = pendingWithdrawals[channelId].initiatedAt;
        if (initiatedAt != 0) revert WithdrawalAlreadyPending(channelId, initiatedAt);
        Channel storage channel = channels[channelId];
        uint128 available = channel.balance - channel.totalClaimed;
        if (amount > available) revert WithdrawalOverAvailable(channelId, amount, available);

        // 40 bits of seconds last for 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint40 timestamp = uint40(block.timestamp);
        pendingWithdrawals[channelId] = Withdrawal(amount, timestamp);
        emit WithdrawInitiated(channelId, amount, timestamp + config.withdrawDelay);
    }

    /// @inheritdoc IBatchSettlement
    function finalizeWithdraw(ChannelConfig calldata config) external nonReentrant {
        bytes32 channelId = getChannelId(config);
        _checkPayerSide(channelId, config);
        Withdrawal memory pending = pendingWithdrawals[channelId];
        if (pending.initiatedAt == 0) revert WithdrawalNotPending(channelId);
        uint256 finalizeAfter = uint256(pending.initiatedAt) + config.withdrawDelay;
        if (block.timestamp < finalizeAfter) revert WithdrawalTooEarly(channelId, block.timestamp, finalizeAfter);

        delete pendingWithdrawals[channelId];
        uint128 amount = _release(channelId, config, pending.amount);
        emit WithdrawFinalized(channelId, msg.sender, amount);

        if (amount != 0) IERC20(config.token).safeTransfer(config.payer, amount);
    }

    /// @inheritdoc IBatchSettlement
    function multicall(bytes[] calldata data)
        public
        override(IBatchSettlement, Multicall)
        returns (bytes[] memory results)
    {
        return super.multicall(data);
    }

    /// @inheritdoc IBatchSettlement
    function getChannelId(ChannelConfig calldata config) public view returns (bytes32) {
        return _channelId(_domain(), config);
    }

    /// @inheritdoc IBatchSettlement
    function getVoucherDigest(bytes32 channelId, uint128 maxClaimableAmount) external view returns (bytes32) {
        return _voucherDigest(_domain(), channelId, maxClaimableAmount);
    }

    /// @inheritdoc IBatchSettlement
    function getRefundDigest(bytes32 channelId, uint256 nonce, uint128 amount) public view returns (bytes32) {
        return
            MessageHashUtils.toTypedDataHash(
                _domain(), keccak256(abi.encode(REFUND_TYPEHASH, channelId, nonce, amount))
            );
    }

    /// @inheritdoc IBatchSettlement
    function getClaimBatchDigest(VoucherClaim[] calldata voucherClaims) external view returns (bytes32) {
        bytes32 domain = _domain();
        bytes32[] memory entries = new bytes32[](voucherClaims.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            entries[i] = _claimEntry(_channelId(domain, voucherClaims[i].voucher.channel), voucherClaims[i]);
        }
        return _claimBatchDigest(domain, entries);
    }

    function _claim(bytes32 domain, bytes32 channelId, VoucherClaim calldata row) private {
        ChannelConfig calldata config = row.voucher.channel;
        uint128 claimed = row.totalClaimed;
        uint128 max = row.voucher.maxClaimableAmount;
        if (claimed > max) revert ClaimOverVoucher(channelId, claimed, max);
        _checkVoucher(channelId, config, _voucherDigest(domain, channelId, max), row.signature);
        Channel storage channel = channels[channelId];
        uint128 before = channel.totalClaimed;
        if (claimed <= before) return;
        uint128 balance = channel.balance;
        if (claimed > balance) revert ClaimOverBalance(channelId, claimed, balance);

        channel.totalClaimed = claimed;
        receivers[config.receiver][config.token].totalClaimed += claimed - before;
        emit Claimed(channelId, msg.sender, claimed - before, claimed);
    }

    function _refund(bytes32 channelId, ChannelConfig calldata config, uint128 asked) private {
        if (asked == 0) revert ZeroAmount();
        ++refundNonce[channelId];
        uint128 amount = _release(channelId, config, asked);
        if (amount == 0) return;

        uint128 pending = pendingWithdrawals[channelId].amount;
        if (pending > amount) pendingWithdrawals[channelId].amount = pending - amount;
        else if (pending != 0) delete pendingWithdrawals[channelId];
        emit Refunded(channelId, msg.sender, amount);

        IERC20(config.token).safeTransfer(config.payer, amount);
    }

    /// @dev Takes up to `asked` of what is unclaimed off the channel's books; the caller pays it out.
    function _release(bytes32 channelId, ChannelConfig calldata config, uint128 asked)
        private
        returns (uint128 amount)
    {
        Channel memory channel = channels[channelId];
        uint128 available = channel.balance - channel.totalClaimed;
        amount = asked < available ? asked : available;
        if (amount == 0) return 0;
        channels[channelId].balance = channel.balance - amount;
        if (channel.balance == amount) emit ChannelClosed(channelId, config);
    }

    function _checkConfig(ChannelConfig calldata config) private pure {
        if (
            config.payer == address(0) || config.receiver == address(0) || config.receiverAuthorizer == address(0)
                || config.token == address(0)
        ) revert PartyMissing(config);
        uint40 delay = config.withdrawDelay;
        if (delay < MIN_WITHDRAW_DELAY || delay > MAX_WITHDRAW_DELAY) {
            revert WithdrawDelayOutOfRange(delay, MIN_WITHDRAW_DELAY, MAX_WITHDRAW_DELAY);
        }
    }

    function _checkReceiverSide(bytes32 channelId, ChannelConfig calldata config) private view {
        if (msg.sender != config.receiver && msg.sender != config.receiverAuthorizer) {
            revert NotReceiverSide(channelId, msg.sender);
        }
    }

    function _checkPayerSide(bytes32 channelId, ChannelConfig calldata config) private view {
        if (msg.sender != config.payer && msg.sender != config.payerAuthorizer) {
            revert NotPayerSide(channelId, msg.sender);
        }
    }

    /// @dev A payerAuthorizer is recovered and never asked, so that no code put at its address later can
    /// change what it signed.
    function _checkVoucher(bytes32 channelId, ChannelConfig calldata config, bytes32 digest, bytes calldata signature)
        private
        view
    {
        if (config.payerAuthorizer == address(0)) {
            if (SignatureChecker.isValidSignatureNowCalldata(config.payer, digest, signature)) return;
            revert VoucherNotSigned(channelId, config.payer);
        }
        (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem != ECDSA.RecoverError.NoError || signer != config.payerAuthorizer) {
            revert VoucherNotSigned(channelId, config.payerAuthorizer);
        }
    }

    function _checkAuthorizer(address authorizer, bytes32 digest, bytes calldata signature) private view {
        if (!SignatureChecker.isValidSignatureNowCalldata(authorizer, digest, signature)) {
            revert NotAuthorized(authorizer, digest);
        }
    }

    function _domain() private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, address(this)));
    }

    function _channelId(bytes32 domain, ChannelConfig calldata config) private pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(CHANNEL_CONFIG_TYPEHASH, config)));
    }

    function _voucherDigest(bytes32 domain, bytes32 channelId, uint128 max) private pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(VOUCHER_TYPEHASH, channelId, max)));
    }

    function _claimEntry(bytes32 channelId, VoucherClaim calldata row) private pure returns (bytes32) {
        return keccak256(abi.encode(CLAIM_ENTRY_TYPEHASH, channelId, row.voucher.maxClaimableAmount, row.totalClaimed));
    }

    function _claimBatchDigest(bytes32 domain, bytes32[] memory entries) private pure returns (bytes32) {
        bytes32 list = keccak256(abi.encodePacked(entries));
        return MessageHashUtils.toTypedDataHash(domain, keccak256(abi.encode(CLAIM_BATCH_TYPEHASH, list)));
    }
}
