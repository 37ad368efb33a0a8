using System.Numerics;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Ethereum.Transactions;

namespace FedChain.Network.Chain;

/// <summary>
/// Sends one account's transactions, one at a time: the nonce is read from the chain for each, so nothing has to be remembered across restarts and
/// a dropped transaction leaves no gap. Fees are twice the base fee plus the node's tip (EIP-1559), enough for six full blocks in a row. A transaction
/// that waits too long is replaced by itself with higher fees, which also brings back one that the pool dropped.
/// The account must have no other writer.
/// </summary>
public sealed class TransactionSender(ChainClient chain, PrivateKey key, ulong chainId) : IDisposable
{
    private const int MaxAttempts = 5;
    private const int ReceiptLooks = 10;

    private readonly SemaphoreSlim _turn = new(1);

    public Address Account => key.Address;

    public ulong ChainId => chainId;

    /// <summary>Sends and waits until the transaction is in a block that <see cref="ChainOptions.Confirmations"/> others follow.</summary>
    /// <exception cref="ChainException">The node can't be reached, or refuses for a reason of its own, such as an empty account.</exception>
    public async Task<SendOutcome> SendAsync(TransactionIntent intent, CancellationToken cancellation = default)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            for (var attempt = 0; attempt < MaxAttempts; attempt++)
            {
                if (await TrySendAsync(intent, cancellation) is { } outcome)
                {
                    return outcome;
                }
            }

            throw new ChainException($"Other transactions of {Account} keep taking the nonce of '{intent.Description}'. An operator's key must have one user only.");
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Sends and expects inclusion.</summary>
    /// <exception cref="ChainException">Also when the contract refuses; then with <see cref="ChainException.Refusal"/>.</exception>
    public async Task<Receipt> SendOrThrowAsync(TransactionIntent intent, CancellationToken cancellation = default) =>
        await SendAsync(intent, cancellation) switch
        {
            SendOutcome.Included included => included.Receipt,
            SendOutcome.Refused refused => throw new ChainException($"The contract refused {intent.Description}: {refused.Refusal}.") { Refusal = refused.Refusal },
            _ => throw new ChainException($"'{intent.Description}' had been done already."),
        };

    public void Dispose() => _turn.Dispose();

    /// <summary>Null if another transaction took the nonce.</summary>
    private async Task<SendOutcome?> TrySendAsync(TransactionIntent intent, CancellationToken cancellation)
    {
        if (await IsDoneAsync(intent, cancellation))
        {
            return new SendOutcome.AlreadyDone();
        }

        DynamicFeeTransaction transaction;
        try
        {
            transaction = await PrepareAsync(intent, cancellation);
        }
        catch (ChainException e) when (e.Refusal is not null)
        {
            return await IsDoneAsync(intent, cancellation) ? new SendOutcome.AlreadyDone() : new SendOutcome.Refused(e.Refusal, null);
        }

        if (await BroadcastAsync(intent, transaction, cancellation) is not { } receipt)
        {
            return null;
        }

        if (receipt.Succeeded)
        {
            return new SendOutcome.Included(receipt);
        }

        return await IsDoneAsync(intent, cancellation)
            ? new SendOutcome.AlreadyDone()
            : new SendOutcome.Refused(await ExplainAsync(intent, receipt, cancellation), receipt);
    }

    private async Task<DynamicFeeTransaction> PrepareAsync(TransactionIntent intent, CancellationToken cancellation)
    {
        List<RpcRequest> requests =
        [
            ChainClient.BlockRequest(BlockTag.Latest),
            new("eth_maxPriorityFeePerGas"),
            new("eth_getTransactionCount", Account.ToString(), "pending"),
        ];
        if (intent.GasLimit is null)
        {
            requests.Add(ChainClient.EstimateRequest(Account, intent.To, intent.Data, intent.Value, BlockTag.Pending));
        }

        var replies = await chain.BatchAsync(requests, cancellation);
        if (replies[^1].Error is { Refusal: null, IsTransient: false } && intent.GasLimit is null)
        {
            // Some nodes make no pending block to estimate in; on their chains blocks come often enough for the latest to do.
            replies[^1] = (await chain.BatchAsync([ChainClient.EstimateRequest(Account, intent.To, intent.Data, intent.Value, BlockTag.Latest)], cancellation))[0];
        }

        var baseFee = ChainBlock.Read(replies[0].Value).BaseFee;
        var tip = replies[1].Error is null ? RpcJson.Integer(replies[1].Value) : chain.Options.DefaultTip;
        return new DynamicFeeTransaction
        {
            ChainId = chainId,
            Nonce = RpcJson.UInt64(replies[2].Value),
            MaxPriorityFeePerGas = tip,
            MaxFeePerGas = (2 * baseFee) + tip,
            GasLimit = intent.GasLimit ?? WithMargin(RpcJson.UInt64(replies[3].Value)),
            To = intent.To,
            Value = intent.Value,
            Data = intent.Data,
        };
    }

    /// <summary>
    /// What others send first can change the path: the attestation that turns out to be the one that finalises costs some 40,000 gas more than the
    /// one before it. Gas that is not used is not paid.
    /// </summary>
    private static ulong WithMargin(ulong estimate) => estimate + (estimate / 4) + 50_000;

    /// <summary>The receipt of the transaction or of one of its replacements; null if neither has the nonce.</summary>
    private async Task<Receipt?> BroadcastAsync(TransactionIntent intent, DynamicFeeTransaction transaction, CancellationToken cancellation)
    {
        var hashes = new List<Hash256>();
        while (true)
        {
            var signed = transaction.Sign(key);
            var reply = (await chain.BatchAsync([new RpcRequest("eth_sendRawTransaction", Hex.Encode(signed.Raw.Span))], cancellation))[0];
            if (reply.Error is null || RpcErrors.IsKnown(reply.Error))
            {
                hashes.Add(signed.Hash);
            }
            else if (RpcErrors.IsInsufficientFunds(reply.Error))
            {
                throw new ChainException(
                    $"Account {Account} can't pay for '{intent.Description}': it needs up to {EtherAmount.Format((transaction.GasLimit * transaction.MaxFeePerGas) + transaction.Value, EtherAmount.Ether)} "
                    + $"of the chain's coin and has {EtherAmount.Format(await chain.GetBalanceAsync(Account, cancellation), EtherAmount.Ether)}. Send it some.",
                    reply.Error);
            }
            else if (!RpcErrors.IsUnderpriced(reply.Error) && !RpcErrors.IsNonceTooLow(reply.Error))
            {
                throw reply.Error;
            }
            else if (RpcErrors.IsNonceTooLow(reply.Error) && hashes.Count == 0)
            {
                return null;
            }

            var (receipt, isNonceTaken) = await WaitAsync(hashes, transaction.Nonce, cancellation);
            if (receipt is not null || isNonceTaken)
            {
                return receipt;
            }

            transaction = transaction with
            {
                MaxFeePerGas = Raise(transaction.MaxFeePerGas),
                MaxPriorityFeePerGas = Raise(transaction.MaxPriorityFeePerGas),
            };
        }
    }

    /// <summary>Pools replace a transaction by one that pays at least 10% more (geth; others 12.5%).</summary>
    private static BigInteger Raise(BigInteger fee) => (fee * 5 / 4) + 1;

    private async Task<(Receipt? Receipt, bool IsNonceTaken)> WaitAsync(List<Hash256> hashes, ulong nonce, CancellationToken cancellation)
    {
        var start = chain.Time.GetTimestamp();
        var requests = hashes.ConvertAll(hash => new RpcRequest("eth_getTransactionReceipt", hash.ToString()));
        requests.Add(new RpcRequest("eth_getTransactionCount", Account.ToString(), "latest"));
        requests.Add(new RpcRequest("eth_blockNumber"));
        while (true)
        {
            var replies = await chain.BatchAsync(requests, cancellation);
            var receipt = replies[..hashes.Count].Select(r => ChainClient.ReadOrNull(r.Value, Receipt.Read)).FirstOrDefault(r => r is not null);
            if (receipt is not null && RpcJson.UInt64(replies[^1].Value) >= receipt.Block + chain.Options.Confirmations)
            {
                return (receipt, true);
            }

            if (receipt is null && RpcJson.UInt64(replies[^2].Value) > nonce && await IsNonceTakenAsync(requests, hashes.Count, cancellation))
            {
                return (null, true);
            }

            if (receipt is null && chain.Time.GetElapsedTime(start) >= chain.Options.ReplaceAfter)
            {
                return (null, false);
            }

            await Task.Delay(chain.Options.PollInterval, chain.Time, cancellation);
        }
    }

    /// <summary>Asks again, for a while: a busy node shows an account's new nonce before the receipts of the block that brought it.</summary>
    private async Task<bool> IsNonceTakenAsync(List<RpcRequest> requests, int hashes, CancellationToken cancellation)
    {
        for (var look = 0; look < ReceiptLooks; look++)
        {
            var replies = await chain.BatchAsync(requests, cancellation);
            if (replies[..hashes].Any(r => ChainClient.ReadOrNull(r.Value, Receipt.Read) is not null))
            {
                return false;
            }

            await Task.Delay(chain.Options.PollInterval, chain.Time, cancellation);
        }

        return true;
    }

    /// <summary>Repeats the failed call, in the state before its block and then after it; the reason is not in the receipt.</summary>
    private async Task<ContractRefusal> ExplainAsync(TransactionIntent intent, Receipt receipt, CancellationToken cancellation)
    {
        if (intent.To is not { } to)
        {
            return ContractRefusal.WithoutReason;
        }

        foreach (var block in (ulong[])[receipt.Block - 1, receipt.Block])
        {
            try
            {
                await chain.CallAsync(to, intent.Data, Account, BlockTag.Number(block), cancellation);
            }
            catch (ChainException e) when (e.Refusal is not null)
            {
                return e.Refusal;
            }
            catch (ChainException e) when (!e.IsTransient)
            {
                break; // a node without old state
            }
        }

        return ContractRefusal.WithoutReason;
    }

    private static async Task<bool> IsDoneAsync(TransactionIntent intent, CancellationToken cancellation) =>
        intent.IsDone is { } isDone && await isDone(cancellation);
}
