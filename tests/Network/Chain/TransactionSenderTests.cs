using FedChain.Network.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Tests.Chain;

public sealed class TransactionSenderTests
{
    private static readonly Address Somebody = Address.Parse("0x00000000000000000000000000000000000000aa");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_transfer_arrives_and_the_receipt_tells()
    {
        await using var chain = await LocalChain.StartAsync();
        var receipt = await chain.Sender.SendOrThrowAsync(TransactionIntent.Transfer(Somebody, 123), Cancellation);
        Assert.True(receipt.Succeeded);
        Assert.Equal(21000UL, receipt.GasUsed);
        Assert.Equal(123, await chain.Client.GetBalanceAsync(Somebody, Cancellation));
        Assert.Equal(receipt.Block, await chain.Client.GetBlockNumberAsync(Cancellation));
        Assert.Equal(receipt.Transaction, (await chain.Client.GetReceiptAsync(receipt.Transaction, Cancellation))!.Transaction);
        Assert.Null(await chain.Client.GetReceiptAsync(Hash256.Zero, Cancellation));
        await chain.Client.RequireChainAsync(31337, Cancellation);
        var e = await Assert.ThrowsAsync<ChainException>(() => chain.Client.RequireChainAsync(1, Cancellation));
        Assert.Contains("is on chain 31337; expected chain 1", e.Message, StringComparison.Ordinal);
        Assert.NotEmpty((await chain.Client.GetFeeHistoryAsync(1, 50, Cancellation)).BaseFees);
    }

    [Fact]
    public async Task Many_at_once_get_a_nonce_each()
    {
        await using var chain = await LocalChain.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => chain.Sender.SendOrThrowAsync(TransactionIntent.Transfer(Somebody, 1), Cancellation)));
        Assert.Equal(20, await chain.Client.GetBalanceAsync(Somebody, Cancellation));
        Assert.Equal(20UL, await chain.Client.GetTransactionCountAsync(chain.Sender.Account, BlockTag.Latest, Cancellation));
    }

    [Fact]
    public async Task What_is_done_already_is_not_sent_again()
    {
        await using var chain = await LocalChain.StartAsync();
        async Task<bool> IsDone(CancellationToken cancellation) => await chain.Client.GetBalanceAsync(Somebody, cancellation) > 0;
        var intent = TransactionIntent.Transfer(Somebody, 5) with { IsDone = IsDone };
        Assert.IsType<SendOutcome.Included>(await chain.Sender.SendAsync(intent, Cancellation));
        Assert.IsType<SendOutcome.AlreadyDone>(await chain.Sender.SendAsync(intent, Cancellation));
        Assert.Equal(5, await chain.Client.GetBalanceAsync(Somebody, Cancellation));
    }

    [Fact]
    public async Task A_dropped_transaction_is_brought_back()
    {
        await using var chain = await LocalChain.StartAsync();
        await chain.DoAsync("evm_setAutomine", false);
        var sending = chain.Sender.SendAsync(TransactionIntent.Transfer(Somebody, 7), Cancellation);
        var dropped = await PendingAsync(chain);
        await chain.DoAsync("anvil_dropTransaction", dropped);
        var again = await PendingAsync(chain, except: dropped);
        Assert.NotEqual(dropped, again); // the same, with higher fees
        await chain.DoAsync("evm_mine");
        Assert.Equal(again, Assert.IsType<SendOutcome.Included>(await sending).Receipt.Transaction.ToString());
        Assert.Equal(7, await chain.Client.GetBalanceAsync(Somebody, Cancellation));
    }

    [Fact]
    public async Task A_nonce_taken_by_another_program_leads_to_a_second_look_not_to_a_second_effect()
    {
        await using var chain = await LocalChain.StartAsync();
        await chain.DoAsync("evm_setAutomine", false);
        async Task<bool> IsDone(CancellationToken cancellation) => await chain.Client.GetBalanceAsync(Somebody, cancellation) > 0;
        var sending = chain.Sender.SendAsync(TransactionIntent.Transfer(Somebody, 7) with { IsDone = IsDone }, Cancellation);
        var first = await PendingAsync(chain);
        await chain.DoAsync("anvil_dropTransaction", first);
        var other = new Protocol.Ethereum.Transactions.DynamicFeeTransaction
        {
            ChainId = LocalChain.ChainId,
            MaxFeePerGas = 100_000_000_000,
            MaxPriorityFeePerGas = 50_000_000_000,
            GasLimit = 21000,
            To = Somebody,
            Value = 7,
        }.Sign(chain.Funded);
        await chain.Client.SendRawTransactionAsync(other.Raw, Cancellation);
        await chain.DoAsync("evm_mine");
        Assert.IsType<SendOutcome.AlreadyDone>(await sending);
        Assert.Equal(7, await chain.Client.GetBalanceAsync(Somebody, Cancellation));
    }

    [Fact]
    public async Task A_refusal_on_the_chain_is_explained_with_its_receipt()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address);
        var call = TransactionIntent.From(new RoundsClient(chain.Client, federation.Rounds).Open()) with { GasLimit = 500_000 }; // no estimate to warn
        var refused = Assert.IsType<SendOutcome.Refused>(await chain.Sender.SendAsync(call, Cancellation));
        Assert.False(refused.Receipt!.Succeeded);
        Assert.True(refused.Refusal.Is(ContractErrors.NotOperator) || refused.Refusal.Is(ContractErrors.StillFounding), refused.Refusal.ToString());
        var e = await Assert.ThrowsAsync<ChainException>(() => chain.Sender.SendOrThrowAsync(call, Cancellation));
        Assert.Contains("open()", e.Message, StringComparison.Ordinal);
        Assert.NotNull(e.Refusal);
    }

    [Fact]
    public async Task An_empty_account_is_told_what_it_needs()
    {
        await using var chain = await LocalChain.StartAsync();
        using var poor = PrivateKey.Create();
        using var sender = chain.SenderOf(poor);
        var e = await Assert.ThrowsAsync<ChainException>(() => sender.SendAsync(TransactionIntent.Transfer(Somebody, 1) with { GasLimit = 21000 }, Cancellation));
        Assert.Contains(poor.Address.ToString(), e.Message, StringComparison.Ordinal);
        Assert.Contains("has 0.0", e.Message, StringComparison.Ordinal);
        Assert.False(e.IsTransient);
    }

    [Fact]
    public async Task Confirmations_are_waited_for()
    {
        await using var chain = await LocalChain.StartAsync(options: new ChainOptions { PollInterval = TimeSpan.FromMilliseconds(10), Confirmations = 2 });
        var sending = chain.Sender.SendAsync(TransactionIntent.Transfer(Somebody, 1), Cancellation);
        while (await chain.Client.GetBlockNumberAsync(Cancellation) == 0)
        {
            await Task.Yield();
        }

        await chain.DoAsync("evm_mine");
        Assert.False(sending.IsCompleted);
        await chain.DoAsync("evm_mine");
        Assert.IsType<SendOutcome.Included>(await sending);
    }

    [Fact]
    public async Task Estimates_are_made_at_the_time_of_the_next_block_also_on_an_idle_chain()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address, chain.Sender.Account);
        using var sender = chain.SenderOf(alice);
        await sender.SendOrThrowAsync(new MembershipClient(chain.Client, federation.Membership).Activate("{}", alice.Address, Keccak256.Hash("c")), Cancellation);
        var open = new RoundsClient(chain.Client, federation.Rounds).Open();
        Assert.IsType<SendOutcome.Refused>(await sender.SendAsync(open, Cancellation));
        await chain.DoAsync("evm_increaseTime", 7 * 24 * 3600); // founding is over; no block has that time yet
        Assert.IsType<SendOutcome.Included>(await sender.SendAsync(open, Cancellation));
    }

    private static async Task<string> PendingAsync(LocalChain chain, string? except = null)
    {
        while (true)
        {
            var pool = await chain.DoAsync("txpool_content");
            var hashes = pool.GetProperty("pending").EnumerateObject().SelectMany(a => a.Value.EnumerateObject()).Select(t => t.Value.GetProperty("hash").GetString()!);
            if (hashes.FirstOrDefault(h => h != except) is { } hash)
            {
                return hash;
            }

            await Task.Yield();
        }
    }
}
