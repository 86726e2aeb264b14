// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Batch settlement: one-way payment channels, claimed many at a time
/// @notice The on-chain half of the x402 scheme `batch-settlement`, byte for byte: the same functions,
/// events, typed data and domain, so that a client or facilitator written for x402 works against this
/// contract unchanged.
///
/// A channel is named by the EIP-712 hash of its `ChannelConfig`; the config itself is never stored and
/// travels with each call. The payer deposits, then signs vouchers off chain, each for the running total.
/// The receiver claims whenever it likes up to the newest voucher (bookkeeping only), and one `settle`
/// moves everything that was claimed for it in one token.
///
/// Three sums hold at all times, for every token that keeps its own promises:
///  - `totalClaimed <= balance`, for each channel;
///  - this contract's tokens = sum over channels of (balance - totalClaimed)
///    + sum over receivers of (totalClaimed - totalSettled);
///  - `totalClaimed` of a channel and of a receiver, `totalSettled` and `refundNonce` only grow.
///
/// The domain is {name: "x402 Batch Settlement", version: "1", chainId, verifyingContract}, computed from
/// `address(this)` at each use: the code has no immutables and works wherever it is put.
interface IBatchSettlement {
    /// @notice What names a channel. It cannot change; another config is another channel.
    /// @param payer Owner of the deposit; refunds and withdrawals go here and nowhere else.
    /// @param payerAuthorizer Key that signs vouchers (an EOA). Zero: the payer signs, by ERC-1271 if it
    /// has code. Zero is allowed for compatibility and refused by our own gateway: a payer that gains
    /// code by an EIP-7702 delegation thereby voids every voucher that it signed before.
    /// @param receiver Where claimed money is settled to.
    /// @param receiverAuthorizer Key that signs claims and refunds for the receiver. Never zero.
    /// @param token The ERC-20 of this channel.
    /// @param withdrawDelay Seconds between asking for a withdrawal and getting it.
    /// @param salt Tells apart channels that are otherwise alike.
    struct ChannelConfig {
        address payer;
        address payerAuthorizer;
        address receiver;
        address receiverAuthorizer;
        address token;
        uint40 withdrawDelay;
        bytes32 salt;
    }

    /// @notice The payer's promise: at most this much, over the channel's whole life.
    struct Voucher {
        ChannelConfig channel;
        uint128 maxClaimableAmount;
    }

    /// @notice One row of a claim: raise the channel's total to `totalClaimed`, as the voucher allows.
    struct VoucherClaim {
        Voucher voucher;
        bytes signature;
        uint128 totalClaimed;
    }

    event ChannelCreated(bytes32 indexed channelId, ChannelConfig config);
    event ChannelClosed(bytes32 indexed channelId, ChannelConfig config);
    event Deposited(bytes32 indexed channelId, address indexed sender, uint128 amount, uint128 newBalance);
    event Claimed(bytes32 indexed channelId, address indexed sender, uint128 claimAmount, uint128 newTotalClaimed);
    event Settled(address indexed receiver, address indexed token, address indexed sender, uint128 amount);
    event Refunded(bytes32 indexed channelId, address indexed sender, uint128 amount);
    event WithdrawInitiated(bytes32 indexed channelId, uint128 amount, uint40 finalizeAfter);
    event WithdrawFinalized(bytes32 indexed channelId, address indexed sender, uint128 amount);

    error ZeroAmount();
    error EmptyBatch();
    /// @dev Payer, receiver, receiverAuthorizer and token must all be set.
    error PartyMissing(ChannelConfig config);
    error WithdrawDelayOutOfRange(uint40 given, uint40 min, uint40 max);
    /// @dev The collector brought another amount than announced: a fee, a rebase, or a lie.
    error DepositNotExact(uint256 brought, uint256 announced);
    error BalanceTooLarge(uint256 balance, uint256 max);
    error NotReceiverSide(bytes32 channelId, address caller);
    error NotPayerSide(bytes32 channelId, address caller);
    error VoucherNotSigned(bytes32 channelId, address signer);
    error NotAuthorized(address authorizer, bytes32 digest);
    error AuthorizerDiffers(bytes32 channelId, address found, address expected);
    error ClaimOverVoucher(bytes32 channelId, uint128 claimed, uint128 max);
    error ClaimOverBalance(bytes32 channelId, uint128 claimed, uint128 balance);
    error WrongRefundNonce(bytes32 channelId, uint256 given, uint256 expected);
    error WithdrawalAlreadyPending(bytes32 channelId, uint40 initiatedAt);
    error WithdrawalNotPending(bytes32 channelId);
    error WithdrawalOverAvailable(bytes32 channelId, uint128 asked, uint128 available);
    error WithdrawalTooEarly(bytes32 channelId, uint256 timestamp, uint256 finalizeAfter);

    /// @notice Adds exactly `amount` to a channel, opening it if need be. Anyone may call; whoever holds the
    /// payer's authorization is the one who can bring the money.
    /// @param collector Brings the tokens here (see `IDepositCollector`). It need not be trusted: this
    /// contract looks at its own balance before and after, and refuses anything but the amount announced.
    /// @param collectorData For the collector alone, such as the payer's signed authorization.
    function deposit(ChannelConfig calldata config, uint128 amount, address collector, bytes calldata collectorData)
        external;

    /// @notice Raises each row's channel to the row's `totalClaimed`. No token moves. A row that asks for no
    /// more than was already claimed changes nothing, so a batch cannot be broken by claiming part of it
    /// first. The caller must be receiver or receiverAuthorizer in every row.
    function claim(VoucherClaim[] calldata voucherClaims) external;

    /// @notice The same, by anyone who holds the signature of the rows' one receiverAuthorizer over
    /// `getClaimBatchDigest`. The signature may be replayed: replayed, it changes nothing.
    function claimWithSignature(VoucherClaim[] calldata voucherClaims, bytes calldata authorizerSignature) external;

    /// @notice Sends a receiver everything claimed for it and not yet settled, in one transfer. Anyone may
    /// call. With nothing to send it does nothing and emits nothing.
    function settle(address receiver, address token) external;

    /// @notice Gives unclaimed money back to the payer, at most what is unclaimed. The caller must be
    /// receiver or receiverAuthorizer. The channel's refund nonce grows even when nothing is left to give,
    /// so a refund signed for the nonce before is void. A pending withdrawal shrinks by what was given back.
    function refund(ChannelConfig calldata config, uint128 amount) external;

    /// @notice The same, by anyone who holds the receiverAuthorizer's signature over `getRefundDigest`.
    /// @param nonce Must equal `refundNonce(channelId)`.
    function refundWithSignature(
        ChannelConfig calldata config,
        uint128 amount,
        uint256 nonce,
        bytes calldata receiverAuthorizerSignature
    ) external;

    /// @notice Payer or payerAuthorizer announces that it wants `amount` of the unclaimed money back. The
    /// receiver has `withdrawDelay` seconds to claim what its vouchers cover.
    function initiateWithdraw(ChannelConfig calldata config, uint128 amount) external;

    /// @notice After the delay: pays the payer the announced amount, or what is still unclaimed if less.
    /// The caller must be payer or payerAuthorizer.
    function finalizeWithdraw(ChannelConfig calldata config) external;

    /// @notice Several calls in one transaction, by the same caller, all or nothing.
    function multicall(bytes[] calldata data) external returns (bytes[] memory results);

    /// @notice Type hash of `ChannelConfig`.
    function CHANNEL_CONFIG_TYPEHASH() external view returns (bytes32);

    /// @notice The EIP-712 hash of a config under this contract's domain.
    function getChannelId(ChannelConfig calldata config) external view returns (bytes32);

    /// @notice What the payer's side signs: Voucher(bytes32 channelId,uint128 maxClaimableAmount).
    function getVoucherDigest(bytes32 channelId, uint128 maxClaimableAmount) external view returns (bytes32);

    /// @notice What the receiverAuthorizer signs: Refund(bytes32 channelId,uint256 nonce,uint128 amount).
    function getRefundDigest(bytes32 channelId, uint256 nonce, uint128 amount) external view returns (bytes32);

    /// @notice What the receiverAuthorizer signs: ClaimBatch(ClaimEntry[] claims) with
    /// ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed).
    function getClaimBatchDigest(VoucherClaim[] calldata voucherClaims) external view returns (bytes32);

    /// @notice Deposited less withdrawn and refunded; and claimed, ever.
    function channels(bytes32 channelId) external view returns (uint128 balance, uint128 totalClaimed);

    /// @notice The withdrawal under way: how much, and since when (Unix seconds, 0: none).
    function pendingWithdrawals(bytes32 channelId) external view returns (uint128 amount, uint40 initiatedAt);

    /// @notice Nonce of the channel's next signed refund.
    function refundNonce(bytes32 channelId) external view returns (uint256);

    /// @notice Claimed for a receiver in a token, ever; and sent to it, ever.
    function receivers(address receiver, address token)
        external
        view
        returns (uint128 totalClaimed, uint128 totalSettled);
}
