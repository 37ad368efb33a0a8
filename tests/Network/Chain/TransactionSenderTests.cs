using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Network.Tests.Content;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Tests.Chain;

public sealed class TransactionSenderTests
{
    private static readonly ChainOptions Patient = new() { PollInterval = TimeSpan.FromMilliseconds(5) };
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
    public async Task A_dropped_transaction_is_handed_over_again()
    {
        await using var chain = await LocalChain.StartAsync(options: Patient);
        await chain.DoAsync("evm_setAutomine", false);
        var sending = chain.Sender.SendAsync(TransactionIntent.Transfer(Somebody, 7), Cancellation);
        var dropped = await PendingAsync(chain);
        await chain.DoAsync("anvil_dropTransaction", dropped);
        await UntilAsync(async () => await PendingAsync(chain) == dropped);
        await chain.DoAsync("evm_mine");
        Assert.Equal(dropped, Assert.IsType<SendOutcome.Included>(await sending).Receipt.Transaction.ToString());
        Assert.Equal(7, await chain.Client.GetBalanceAsync(Somebody, Cancellation));
    }

    [Fact]
    public async Task A_stuck_transaction_pays_more_each_time_but_not_beyond_the_cap()
    {
        var cap = 20_000_000_000;
        await using var chain = await LocalChain.StartAsync(options: new ChainOptions { PollInterval = TimeSpan.FromMilliseconds(5), ReplaceAfter = TimeSpan.FromMilliseconds(20), MaxFee = cap });
        await chain.DoAsync("evm_setAutomine", false);
        var sending = chain.Sender.SendAsync(TransactionIntent.Transfer(Somebody, 7), Cancellation);
        var fees = new List<(long Most, long Tip)>();
        await UntilAsync(async () =>
        {
            var pending = (await PoolAsync(chain)).Select(t => ((long)RpcJson.UInt64(t.GetProperty("maxFeePerGas")), (long)RpcJson.UInt64(t.GetProperty("maxPriorityFeePerGas")))).ToList();
            fees.AddRange(pending.Where(f => fees.Count == 0 || fees[^1] != f));
            return fees.Count > 0 && fees[^1].Most * 9 / 8 > cap;
        });
        await chain.DoAsync("evm_mine");
        Assert.IsType<SendOutcome.Included>(await sending);
        Assert.All(fees.Zip(fees.Skip(1)), f => Assert.True(f.Second.Most * 8 >= f.First.Most * 9 && f.Second.Tip * 8 >= f.First.Tip * 9, $"{f.First} -> {f.Second}"));
        Assert.InRange(fees[^1].Most, 1, cap);
        Assert.Equal(7, await chain.Client.GetBalanceAsync(Somebody, Cancellation));
    }

    [Fact]
    public async Task Gas_dearer_than_the_cap_is_waited_out()
    {
        await using var chain = await LocalChain.StartAsync(options: new ChainOptions { MaxFee = 1_000_000_000 });
        await chain.DoAsync("anvil_setNextBlockBaseFeePerGas", "0x3b9aca01");
        await chain.DoAsync("evm_mine");
        var e = await Assert.ThrowsAsync<ChainException>(() => chain.Sender.SendAsync(TransactionIntent.Transfer(Somebody, 7), Cancellation));
        Assert.True(e.IsTransient);
        Assert.Contains("more than the 1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_intention_that_a_killed_run_had_sent_is_followed_and_not_sent_twice()
    {
        await using var chain = await LocalChain.StartAsync(options: Patient);
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "transactions.sqlite");
        await chain.DoAsync("evm_setAutomine", false);
        var intent = TransactionIntent.Transfer(Somebody, 7) with { Name = "once" };
        string first;
        using (var journal = TransactionJournal.Open(file))
        using (var sender = new TransactionSender(chain.Client, chain.Funded, LocalChain.ChainId, journal))
        using (var killed = new CancellationTokenSource())
        {
            var sending = sender.SendAsync(intent, killed.Token);
            first = await PendingAsync(chain);
            await killed.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        }

        using (var journal = TransactionJournal.Open(file))
        using (var sender = new TransactionSender(chain.Client, chain.Funded, LocalChain.ChainId, journal))
        {
            var sending = sender.SendAsync(intent, Cancellation);
            await chain.DoAsync("evm_mine");
            Assert.Equal(first, Assert.IsType<SendOutcome.Included>(await sending).Receipt.Transaction.ToString());
            await chain.DoAsync("evm_setAutomine", true);
            Assert.Equal(first, Assert.IsType<SendOutcome.Included>(await sender.SendAsync(intent, Cancellation)).Receipt.Transaction.ToString());
        }

        Assert.Equal(7, await chain.Client.GetBalanceAsync(Somebody, Cancellation));
        Assert.Equal(1UL, await chain.Client.GetTransactionCountAsync(chain.Sender.Account, BlockTag.Latest, Cancellation));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_gap_before_its_nonce_is_filled(bool isJournalled)
    {
        await using var chain = await LocalChain.StartAsync(options: Patient);
        using var journal = TransactionJournal.InMemory();
        using var sender = new TransactionSender(chain.Client, chain.Funded, LocalChain.ChainId, journal);
        using var other = new TransactionSender(chain.Client, chain.Funded, LocalChain.ChainId);
        await (isJournalled ? sender : other).SendOrThrowAsync(TransactionIntent.Transfer(Somebody, 5) with { Name = "first" }, Cancellation);
        var second = TransactionIntent.Transfer(Somebody, 7) with { Name = "second" };
        await sender.SendOrThrowAsync(second, Cancellation);
        await chain.DoAsync("anvil_reorg", 2, Array.Empty<object>());
        Assert.Equal(0UL, await chain.Client.GetTransactionCountAsync(chain.Sender.Account, BlockTag.Latest, Cancellation));

        await sender.SendOrThrowAsync(second, Cancellation); // its nonce is 1, and 0 is missing
        Assert.Equal(isJournalled ? 12 : 7, await chain.Client.GetBalanceAsync(Somebody, Cancellation));
        Assert.Equal(2UL, await chain.Client.GetTransactionCountAsync(chain.Sender.Account, BlockTag.Latest, Cancellation));
    }

    [Fact]
    public async Task What_was_refused_is_tried_anew_when_it_is_wanted_again()
    {
        await using var chain = await LocalChain.StartAsync();
        using var alice = await chain.CreateFundedKeyAsync();
        var federation = await Release.DeployAsync(chain, alice.Address);
        using var sender = chain.SenderOf(alice);
        var open = TransactionIntent.From(new RoundsClient(chain.Client, federation.Rounds).Open()) with { GasLimit = 500_000, Name = "open" };
        Assert.IsType<SendOutcome.Refused>(await sender.SendAsync(open, Cancellation));
        await sender.SendOrThrowAsync(new MembershipClient(chain.Client, federation.Membership).Activate("{}", alice.Address, Keccak256.Hash("c")), Cancellation);
        Assert.IsType<SendOutcome.Included>(await sender.SendAsync(open, Cancellation));
    }

    [Fact]
    public async Task A_damaged_journal_is_put_aside_and_one_that_cannot_be_written_sends_nothing()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "transactions.sqlite");
        await File.WriteAllTextAsync(file, new string('x', 5000), Cancellation);
        TransactionJournal.Open(file).Dispose();
        Assert.Equal(5000, new FileInfo(file + ".damaged").Length);
        var e = Assert.Throws<ChainException>(() => TransactionJournal.Open(Path.Combine(file, "nested", "transactions.sqlite")));
        Assert.Contains("lest it be sent twice", e.Message, StringComparison.Ordinal);
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

    private static async Task<string> PendingAsync(LocalChain chain)
    {
        while (true)
        {
            if ((await PoolAsync(chain)).Select(t => t.GetProperty("hash").GetString()!).FirstOrDefault() is { } hash)
            {
                return hash;
            }

            await Task.Yield();
        }
    }

    private static async Task<List<JsonElement>> PoolAsync(LocalChain chain) =>
        [.. (await chain.DoAsync("txpool_content")).GetProperty("pending").EnumerateObject().SelectMany(a => a.Value.EnumerateObject()).Select(t => t.Value)];

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        while (!await holds())
        {
            await Task.Delay(1, Cancellation);
        }
    }
}
