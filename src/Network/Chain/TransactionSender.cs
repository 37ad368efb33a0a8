using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Ethereum.Transactions;

namespace FedChain.Network.Chain;

/// <summary>
/// Sends one account's transactions, one at a time. An intention that has a name keeps its nonce, which a <see cref="TransactionJournal"/> remembers, until
/// that nonce is used up; so of the transactions that are sent for it, by whichever run of the program, at most one takes effect. The others take the
/// chain's next nonce. The account must have no other writer.
/// </summary>
/// <param name="chain">The chain.</param>
/// <param name="key">The account's.</param>
/// <param name="chainId">The chain's.</param>
/// <param name="journal">Disposed of by the caller; by default one that is forgotten with this.</param>
public sealed class TransactionSender(ChainClient chain, PrivateKey key, ulong chainId, TransactionJournal? journal = null) : IDisposable
{
    private const int MaxAttempts = 5;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly TransactionJournal _journal = journal ?? TransactionJournal.InMemory();

    public Address Account => key.Address;

    public ulong ChainId => chainId;

    /// <summary>Sends and waits until the transaction is in a block that <see cref="ChainOptions.Confirmations"/> others follow.</summary>
    /// <exception cref="ChainException">The node can't be reached, or refuses for a reason of its own, such as an empty account; or the journal can't be written.</exception>
    public async Task<SendOutcome> SendAsync(TransactionIntent intent, CancellationToken cancellation = default)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            for (var attempt = 0; attempt < MaxAttempts; attempt++)
            {
                if (await TrySendAsync(intent, cancellation) is { } outcome)
                {
                    return outcome is SendOutcome.Refused refused
                        ? refused with { Refusal = await PhaseRefusals.CompleteAsync(chain, intent, refused.Refusal, cancellation) }
                        : outcome;
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

    public void Dispose()
    {
        _turn.Dispose();
        if (journal is null)
        {
            _journal.Dispose();
        }
    }

    /// <summary>Null if the nonce was used otherwise; the intention is then without one.</summary>
    private async Task<SendOutcome?> TrySendAsync(TransactionIntent intent, CancellationToken cancellation)
    {
        if (await IsDoneAsync(intent, cancellation))
        {
            return new SendOutcome.AlreadyDone();
        }

        var delivery = new TransactionDelivery(chain, key, chainId, _journal, intent);
        var earlier = intent.Name is { } name ? _journal.Of(chainId, Account, name) : [];
        Receipt? receipt;
        if (earlier.Count > 0)
        {
            receipt = await delivery.ResumeAsync(earlier, cancellation);
            if (receipt is not { Succeeded: true })
            {
                _journal.Forget(chainId, Account, intent.Name!);
                return null; // what refused it then need not now
            }

            return new SendOutcome.Included(receipt);
        }

        DynamicFeeTransaction transaction;
        try
        {
            transaction = await delivery.PrepareAsync(cancellation);
        }
        catch (ChainException e) when (e.Refusal is not null)
        {
            return await IsDoneAsync(intent, cancellation) ? new SendOutcome.AlreadyDone() : new SendOutcome.Refused(e.Refusal, null);
        }

        receipt = await delivery.BeginAsync(transaction, cancellation);
        if (receipt is { Succeeded: true })
        {
            return new SendOutcome.Included(receipt);
        }

        if (intent.Name is { } used)
        {
            _journal.Forget(chainId, Account, used);
        }

        return receipt is null ? null
            : await IsDoneAsync(intent, cancellation) ? new SendOutcome.AlreadyDone()
            : new SendOutcome.Refused(await ExplainAsync(intent, receipt, cancellation), receipt);
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
