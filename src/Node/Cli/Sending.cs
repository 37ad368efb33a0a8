using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Node.Cli;

/// <summary>
/// What every command that changes something on the chain shares: the home, the chain, whose key signs (<c>--from</c>), and whether the transaction is
/// sent or only written out for a holder that is a contract, such as a board's multisig (<c>--calldata</c>).
/// </summary>
internal sealed class Sending
{
    private const string Holder = "holder";
    private const string Operator = "operator";

    private readonly Option<DirectoryInfo> _home = CommonOptions.Home();
    private readonly Option<string[]> _rpc = CommonOptions.Rpc();
    private readonly Option<Address?> _federation = CommonOptions.Federation();
    private readonly Option<FileInfo?> _passphrase = CommonOptions.PassphraseFile();
    private readonly Option<string> _from;
    private readonly Option<bool> _calldata = new("--calldata")
    {
        Description = "Send nothing: try the call and print it as JSON (to, data), for a holder that is a contract. --from then takes that contract's address.",
    };

    private readonly Option<bool> _json = CommonOptions.Json();
    private string? _secret; // so that the keyboard is asked once

    private readonly bool _alone;

    /// <param name="usual">Whose key signs if nothing is said: "holder" or "operator".</param>
    /// <param name="alone">Whether the command needs the home for itself, without a running peer. So does any that sends with the operator's key, which the peer uses.</param>
    public Sending(string usual = Holder, bool alone = false)
    {
        _alone = alone;
        _from = new Option<string>("--from")
        {
            Description = "Whose key signs and pays: holder or operator of the home, or the path of a keystore (version 3).",
            HelpName = "KEY",
            DefaultValueFactory = _ => usual,
        };
    }

    public Command AddTo(Command command)
    {
        foreach (var option in (Option[])[_home, _rpc, _federation, _passphrase, _from, _calldata, _json])
        {
            command.Add(option);
        }

        return command;
    }

    /// <exception cref="UserErrorException">The home, the key or the federation is not as asked.</exception>
    public async Task<Writer> OpenAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var home = HomeFolder.Open(result.GetRequiredValue(_home).FullName);
        var from = result.GetRequiredValue(_from);
        var calldata = result.GetValue(_calldata);
        var passphrase = new Lazy<string>(() => PassphraseOf(result));
        var inUse = _alone || (from == Operator && !calldata) ? home.Lock() : null;
        PrivateKey? key = null;
        try
        {
            if (!(calldata && Address.TryParse(from, out var account)))
            {
                key = Unlock(home, from, passphrase);
                account = key.Address;
            }

            var session = await ChainSession.OpenAsync(home, result.GetValue(_rpc), result.GetValue(_federation), TimeProvider.System, cancellationToken);
            return new Writer(home, session, account, key, passphrase, inUse, calldata, result.GetValue(_json));
        }
        catch
        {
            key?.Dispose();
            inUse?.Dispose();
            throw;
        }
    }

    /// <summary>What opens the home's keys, asked for at most once.</summary>
    public string PassphraseOf(ParseResult result) => _secret ??= Passphrase.Read(result.GetValue(_passphrase)?.FullName, confirm: false);

    private static PrivateKey Unlock(HomeFolder home, string from, Lazy<string> passphrase)
    {
        var isName = from is Holder or Operator;
        if (!isName && !File.Exists(from))
        {
            throw new UserErrorException(Address.TryParse(from, out _)
                ? $"--from {from} is an address; with it, add --calldata: the call is then printed for that account to send. Else --from takes holder, operator or a keystore file."
                : $"--from takes holder, operator or the path of a keystore file; there is no file '{from}'.");
        }

        return from switch
        {
            Holder => home.UnlockHolder(passphrase.Value),
            Operator => home.UnlockOperator(passphrase.Value),
            _ => HomeFolder.Unlock(from, passphrase.Value),
        };
    }
}

/// <summary>A home, a chain and a key, ready to send: what <see cref="Sending"/> makes of a command line.</summary>
internal sealed class Writer(
    HomeFolder home, ChainSession session, Address account, PrivateKey? key, Lazy<string> passphrase, IDisposable? inUse, bool calldata, bool json) : IAsyncDisposable
{
    public HomeFolder Home => home;

    public ChainSession Session => session;

    /// <summary>Who sends, or would.</summary>
    public Address Account => account;

    /// <summary>Opens the home's keys; asked for when it is first needed.</summary>
    public string Secret => passphrase.Value;

    /// <summary>Whether calls are printed for somebody else to send.</summary>
    public bool OnlyPrints => calldata || key is null;

    public bool Json => json;

    /// <summary>Sends the call and says what came of it, or prints it.</summary>
    /// <param name="call">What to do.</param>
    /// <param name="done">What is true once it is done, for people.</param>
    /// <param name="facts">More for <c>--json</c>.</param>
    /// <param name="cancellationToken">Stops waiting; what was sent may still take effect.</param>
    /// <returns>The receipt; null if the call was only printed.</returns>
    /// <exception cref="ChainException">The contract refuses, with <see cref="ChainException.Refusal"/>, or the node does.</exception>
    public async Task<Receipt?> SendAsync(ContractCall call, Func<Receipt, string> done, Func<Receipt, JsonObject>? facts = null, CancellationToken cancellationToken = default)
    {
        var receipt = await TransactAsync(call, cancellationToken);
        if (receipt is not null)
        {
            Report(receipt, done(receipt), facts?.Invoke(receipt) ?? []);
        }

        return receipt;
    }

    /// <summary>Sends the call, or prints it; what came of it is for <see cref="Report"/> to say.</summary>
    /// <inheritdoc cref="SendAsync"/>
    public async Task<Receipt?> TransactAsync(ContractCall call, CancellationToken cancellationToken)
    {
        if (OnlyPrints)
        {
            await session.Client.CallAsync(call.To, call.Data, account, BlockTag.Pending, cancellationToken);
            Console.WriteLine(JsonSerializer.Serialize(
                new { chainId = session.ChainId, from = account.ToString(), to = call.To.ToString(), value = "0", data = Hex.Encode(call.Data.Span), does = call.Description }, JsonOutput.Options));
            return null;
        }

        using var sender = new TransactionSender(session.Client, key!, session.ChainId);
        return await sender.SendOrThrowAsync(call, cancellationToken);
    }

    public void Report(Receipt receipt, string done, JsonObject facts)
    {
        facts["transaction"] = receipt.Transaction.ToString();
        facts["block"] = receipt.Block;
        facts["gasUsed"] = receipt.GasUsed;
        Tell($"{done}{(done.EndsWith('\n') ? "" : " ")}({receipt.GasUsed:N0} gas, transaction {receipt.Transaction})", facts);
    }

    /// <summary>Says what is so without anything having been sent.</summary>
    public void Tell(string text, JsonObject facts) => Console.WriteLine(json ? facts.ToJsonString(JsonOutput.Options) : text);

    public async ValueTask DisposeAsync()
    {
        key?.Dispose();
        await session.DisposeAsync();
        inUse?.Dispose();
    }
}
