using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Transactions;

namespace FedChain.Network.Chain;

/// <summary>
/// Brings one intention into a block under one nonce. It is looked for until it is there: handed over again when the pool has lost it or a
/// reorganisation has undone it, replaced by itself with higher fees when it waits too long. What holds up its nonce, an earlier transaction that
/// was lost or is stuck, is brought along; a nonce that nobody knows a transaction of is filled with a transfer of nothing.
/// </summary>
internal sealed class TransactionDelivery(ChainClient chain, PrivateKey key, ulong chainId, TransactionJournal journal, TransactionIntent intent)
{
    private const int ReceiptLooks = 10;
    private const int LooksBetweenRepeats = 3; // a node may take a moment to show what it was given
    private const ulong TransferGas = 21_000;

    private readonly List<Hash256> _hashes = [];
    private readonly string _name = intent.Name ?? $"unnamed {Guid.NewGuid():N}";

    private enum Found
    {
        Receipt,
        NonceTaken,
        Lost,
        Stuck,
    }

    /// <summary>The transaction with the chain's next nonce and the usual fees.</summary>
    /// <exception cref="ChainException">With <see cref="ChainException.Refusal"/> if the contract would refuse it.</exception>
    public async Task<DynamicFeeTransaction> PrepareAsync(CancellationToken cancellation)
    {
        List<RpcRequest> requests = [.. FeeRequests(), new("eth_getTransactionCount", key.Address.ToString(), "pending")];
        if (intent.GasLimit is null)
        {
            requests.Add(EstimateRequest(BlockTag.Pending));
        }

        var replies = await chain.BatchAsync(requests, cancellation);
        if (replies[^1].Error is { Refusal: null, IsTransient: false } && intent.GasLimit is null)
        {
            // Some nodes make no pending block to estimate in; on their chains blocks come often enough for the latest to do.
            replies[^1] = (await chain.BatchAsync([EstimateRequest(BlockTag.Latest)], cancellation))[0];
        }

        var fees = Fees.Of(ChainBlock.Read(replies[0].Value), replies[1], chain.Options);
        return new DynamicFeeTransaction
        {
            ChainId = chainId,
            Nonce = RpcJson.UInt64(replies[2].Value),
            MaxPriorityFeePerGas = fees.Tip,
            MaxFeePerGas = fees.Most,
            GasLimit = intent.GasLimit ?? WithMargin(RpcJson.UInt64(replies[3].Value)),
            To = intent.To,
            Value = intent.Value,
            Data = intent.Data,
        };
    }

    /// <returns>The receipt of the transaction or of one of its replacements; null if neither has the nonce.</returns>
    public Task<Receipt?> BeginAsync(DynamicFeeTransaction transaction, CancellationToken cancellation) => DeliverAsync(Note(transaction, _name), cancellation);

    /// <summary>Goes on with what was sent for the same intention before.</summary>
    /// <inheritdoc cref="BeginAsync"/>
    public async Task<Receipt?> ResumeAsync(IReadOnlyList<SentTransaction> earlier, CancellationToken cancellation)
    {
        _hashes.AddRange(earlier.Select(e => e.Hash));
        var last = earlier[^1];
        var (receipt, _) = await LookAsync(cancellation);
        if (receipt is null && !(last.Transaction.To == intent.To && last.Transaction.Data.Span.SequenceEqual(intent.Data.Span) && last.Transaction.Value == intent.Value))
        {
            // The same is to be said in other words, since the chain has changed: in the same place.
            var changed = last.Transaction with { To = intent.To, Data = intent.Data, Value = intent.Value, GasLimit = Math.Max(last.Transaction.GasLimit, intent.GasLimit ?? 0) };
            last = (await FeesNowAsync(cancellation)).Replace(changed, chain.Options.MaxFee) is { } dearer ? Note(dearer, _name) : last;
        }

        return await DeliverAsync(last, cancellation);
    }

    /// <summary>
    /// What others send first can change the path: the attestation that turns out to be the one that finalises costs some 40,000 gas more than the
    /// one before it. Gas that is not used is not paid.
    /// </summary>
    private static ulong WithMargin(ulong estimate) => estimate + (estimate / 4) + 50_000;

    private static RpcRequest[] FeeRequests() => [ChainClient.BlockRequest(BlockTag.Latest), new("eth_maxPriorityFeePerGas")];

    private RpcRequest EstimateRequest(BlockTag tag) => ChainClient.EstimateRequest(key.Address, intent.To, intent.Data, intent.Value, tag);

    private async Task<Fees> FeesNowAsync(CancellationToken cancellation)
    {
        var replies = await chain.BatchAsync(FeeRequests(), cancellation);
        return Fees.Of(ChainBlock.Read(replies[0].Value), replies[1], chain.Options);
    }

    /// <summary>Signs a transaction and writes it down; only then may it leave.</summary>
    private SentTransaction Note(DynamicFeeTransaction transaction, string name)
    {
        var signed = SentTransaction.Of(transaction.Sign(key));
        Crash.At(CrashPoint.TransactionSigned, intent.Kind);
        journal.Add(chainId, key.Address, name, signed);
        Crash.At(CrashPoint.TransactionNoted, intent.Kind);
        if (name == _name)
        {
            _hashes.Add(signed.Hash);
        }

        return signed;
    }

    private async Task<Receipt?> DeliverAsync(SentTransaction sent, CancellationToken cancellation)
    {
        var (raises, start) = (false, chain.Time.GetTimestamp());
        while (true)
        {
            await MakeWayAsync(sent.Transaction.Nonce, raises, cancellation);
            var isOutbid = await HandOverAsync(sent, cancellation);
            var (receipt, found) = await WaitAsync(sent, start, cancellation);
            if (found is Found.Receipt or Found.NonceTaken)
            {
                return receipt;
            }

            raises = found == Found.Stuck || isOutbid;
            if (raises)
            {
                start = chain.Time.GetTimestamp();
                sent = (await FeesNowAsync(cancellation)).Replace(sent.Transaction, chain.Options.MaxFee) is { } dearer ? Note(dearer, _name) : sent;
            }
        }
    }

    /// <returns>Whether the pool has another transaction of the nonce that pays as much.</returns>
    private async Task<bool> HandOverAsync(SentTransaction sent, CancellationToken cancellation)
    {
        var error = (await chain.BatchAsync([new RpcRequest("eth_sendRawTransaction", Hex.Encode(sent.Raw.Span))], cancellation))[0].Error;
        Crash.At(CrashPoint.TransactionSent, intent.Kind);
        if (error is null || RpcErrors.IsKnown(error) || RpcErrors.IsUnderpriced(error) || RpcErrors.IsNonceTooLow(error))
        {
            return error is not null && RpcErrors.IsUnderpriced(error); // what became of it is for the wait to see
        }

        if (RpcErrors.IsInsufficientFunds(error))
        {
            throw new ChainException(
                $"Account {key.Address} can't pay for '{intent.Description}': it needs up to {EtherAmount.Format((sent.Transaction.GasLimit * sent.Transaction.MaxFeePerGas) + sent.Transaction.Value, EtherAmount.Ether)} "
                + $"of the chain's coin and has {EtherAmount.Format(await chain.GetBalanceAsync(key.Address, cancellation), EtherAmount.Ether)}. Send it some.",
                error);
        }

        throw error;
    }

    /// <summary>Brings the transactions of the account's earlier nonces along, since a chain takes nonces in order.</summary>
    private async Task MakeWayAsync(ulong nonce, bool raises, CancellationToken cancellation)
    {
        var counts = await chain.BatchAsync(
            [new("eth_getTransactionCount", key.Address.ToString(), "latest"), new("eth_getTransactionCount", key.Address.ToString(), "pending")], cancellation);
        var (next, pending) = (RpcJson.UInt64(counts[0].Value), RpcJson.UInt64(counts[1].Value));
        for (; next < nonce; next++)
        {
            var blocking = journal.At(chainId, key.Address, next);
            if (blocking is null && next >= pending)
            {
                var fees = await FeesNowAsync(cancellation);
                blocking = Note(
                    new DynamicFeeTransaction { ChainId = chainId, Nonce = next, MaxPriorityFeePerGas = fees.Tip, MaxFeePerGas = fees.Most, GasLimit = TransferGas, To = key.Address },
                    $"nonce {next}: fill");
            }
            else if (blocking is not null && raises && (await FeesNowAsync(cancellation)).Replace(blocking.Transaction, chain.Options.MaxFee) is { } dearer)
            {
                blocking = Note(dearer, journal.NameAt(chainId, key.Address, next)!);
            }

            if (blocking is not null)
            {
                await HandOverAsync(blocking, cancellation);
            }
        }
    }

    private async Task<(Receipt? Receipt, Found Found)> WaitAsync(SentTransaction sent, long start, CancellationToken cancellation)
    {
        for (var look = 1; ; look++)
        {
            var (receipt, replies) = await LookAsync(cancellation);
            if (receipt is not null && replies.Block >= receipt.Block + chain.Options.Confirmations)
            {
                Crash.At(CrashPoint.TransactionSeen, intent.Kind);
                return (receipt, Found.Receipt);
            }

            if (receipt is null && replies.Count > sent.Transaction.Nonce && await IsNonceTakenAsync(sent.Transaction.Nonce, cancellation))
            {
                return (null, Found.NonceTaken);
            }

            if (receipt is null && chain.Time.GetElapsedTime(start) >= chain.Options.ReplaceAfter)
            {
                return (null, Found.Stuck);
            }

            if (receipt is null && !replies.IsKnown && replies.Count <= sent.Transaction.Nonce && look >= LooksBetweenRepeats)
            {
                return (null, Found.Lost);
            }

            await Task.Delay(chain.Options.PollInterval, chain.Time, cancellation);
        }
    }

    /// <summary>The receipt that any of the intention's transactions has; how many nonces are used up; whether the node knows the last transaction; the latest block.</summary>
    private async Task<(Receipt? Receipt, (ulong Count, bool IsKnown, ulong Block) Chain)> LookAsync(CancellationToken cancellation)
    {
        var requests = _hashes.ConvertAll(hash => new RpcRequest("eth_getTransactionReceipt", hash.ToString()));
        requests.Add(new RpcRequest("eth_getTransactionByHash", _hashes[^1].ToString()));
        requests.Add(new RpcRequest("eth_getTransactionCount", key.Address.ToString(), "latest"));
        requests.Add(new RpcRequest("eth_blockNumber"));
        var replies = await chain.BatchAsync(requests, cancellation);
        var receipt = replies[.._hashes.Count].Select(r => ChainClient.ReadOrNull(r.Value, Receipt.Read)).FirstOrDefault(r => r is not null);
        return (receipt, (RpcJson.UInt64(replies[^2].Value), replies[^3].Value.ValueKind != System.Text.Json.JsonValueKind.Null, RpcJson.UInt64(replies[^1].Value)));
    }

    /// <summary>Asks again, for a while: a busy node shows an account's new nonce before the receipts of the block that brought it.</summary>
    private async Task<bool> IsNonceTakenAsync(ulong nonce, CancellationToken cancellation)
    {
        for (var look = 0; look < ReceiptLooks; look++)
        {
            var (receipt, now) = await LookAsync(cancellation);
            if (receipt is not null || now.Count <= nonce)
            {
                return false;
            }

            await Task.Delay(chain.Options.PollInterval, chain.Time, cancellation);
        }

        return true;
    }
}
