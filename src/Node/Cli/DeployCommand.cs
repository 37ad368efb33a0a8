using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Costs;
using FedChain.Node.Governance;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;

namespace FedChain.Node.Cli;

internal static class DeployCommand
{
    private const int MostFounders = 500; // a transaction may use 16.8 million gas (EIP-7825), and each founder adds 23,000

    public static Command Create()
    {
        var home = CommonOptions.Home(required: false);
        var rpc = CommonOptions.Rpc();
        var passphrase = CommonOptions.PassphraseFile();
        var founders = new Option<string[]>("--founder")
        {
            Description = "A founder's holder address, once for each, in the order of member ids.",
            HelpName = "ADDRESS",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        var model = new Option<DirectoryInfo?>("--model") { Description = "The base model; the home's if not given.", HelpName = "DIR" };
        var rank = new Option<int>("--rank") { Description = "LoRA rank.", DefaultValueFactory = _ => 8 };
        var alpha = new Option<int>("--alpha") { Description = "LoRA alpha; the scale is alpha / rank.", DefaultValueFactory = _ => 16 };
        var targets = new Option<string[]>("--target")
        {
            Description = "A linear layer to adapt, once for each.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        };
        var maxSteps = new Option<int>("--max-steps") { Description = "The most optimiser steps in a round.", DefaultValueFactory = _ => 1000 };
        var updates = new UpdateOptions();
        var rounds = new Option<uint>("--rounds") { Description = "How many rounds run before a vote sets a new policy.", DefaultValueFactory = _ => 20 };
        var training = Seconds("--training", "for training and submitting", 24 * 3600);
        var publishing = Seconds("--publishing", "for each turn to publish", 3600);
        var attesting = Seconds("--attesting", "for each turn's attestations", 3600);
        var interval = Seconds("--interval", "between rounds", 0);
        var minimum = new Option<uint>("--minimum") { Description = "The least number of updates; never below a majority of the members.", DefaultValueFactory = _ => 1 };
        var maxTurns = new Option<byte>("--max-turns") { Description = "The most aggregators to try, 1 to 8.", DefaultValueFactory = _ => 4 };
        var votingDelay = Seconds("--voting-delay", "between proposing and voting, 0 to 14 days", 0);
        var votingPeriod = Seconds("--voting-period", "for voting, 5 s to 30 days", 3 * 24 * 3600);
        var executionDelay = Seconds("--execution-delay", "between queueing and executing what passed, 0 to 14 days", 24 * 3600);
        var estimate = new Option<int?>("--estimate")
        {
            Description = "Send nothing: print what deploying, activating, rounds and votes would cost at the chain's present gas price, for the founders named, or for so many. Needs no home and no key.",
            HelpName = "FOUNDERS",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var json = CommonOptions.Json();
        var command = new Command("deploy", """
            Deploys a federation's three contracts, paid by this home's holder, and prints its address. What it will cost is printed first. Unless told
            otherwise, both factors are trained in every round, updates come in 8 bits, and their fair mean by lack of gain is the next adapter.

            Examples:
              fedchain deploy --estimate 3 --rpc https://rpc.example
              fedchain deploy --home /srv/fedchain --rpc https://rpc.example --founder 0x... --founder 0x... --founder 0x...
            """)
        {
            home, rpc, passphrase, founders, estimate, model, rank, alpha, targets, maxSteps, rounds, training, publishing, attesting, interval, minimum, maxTurns,
            votingDelay, votingPeriod, executionDelay, json,
        };
        foreach (var option in updates.All)
        {
            command.Options.Add(option);
        }

        command.SetAction(async (result, cancellationToken) =>
        {
            var onlyEstimate = result.GetResult(estimate) is { Implicit: false };
            var folder = result.GetValue(home) is { } path ? HomeFolder.Open(path.FullName)
                : onlyEstimate ? null : throw new UserErrorException("Whose key pays? Use --home DIR of the home whose holder deploys; or --estimate, which needs none.");
            var urls = RpcUrls.Of(result.GetValue(rpc), folder);
            var holders = result.GetRequiredValue(founders).Select(Founder).ToList();
            var adapter = new AdapterConfig(result.GetValue(rank), result.GetValue(alpha), result.GetRequiredValue(targets));
            var parameters = new PolicyParams(
                result.GetValue(training), result.GetValue(publishing), result.GetValue(attesting), result.GetValue(interval),
                result.GetValue(minimum), result.GetValue(maxTurns), result.GetValue(rounds));
            using var http = new HttpClient();
            var client = new ChainClient(http, urls.Requests, new ChainOptions(), TimeProvider.System);
            if (onlyEstimate)
            {
                var assumed = FoundingPolicy.ForEstimate(adapter, result.GetValue(maxSteps), parameters).ForChain(Assumed(holders, result.GetValue(estimate)));
                var expected = await FederationCosts.AskAsync(client, assumed, cancellationToken);
                Console.WriteLine(result.GetValue(json) ? JsonSerializer.Serialize(expected.ToJson(), JsonOutput.Options) : expected.ToString());
                return;
            }

            if (holders.Count == 0)
            {
                throw new UserErrorException("Who founds it? Use --founder ADDRESS, once for each founder, with the holder's address that its 'fedchain init' printed.");
            }

            if (folder!.Settings.Federation is { } already)
            {
                throw new UserErrorException($"The home {folder.Path} belongs to the federation {already} already, and a home belongs to one. Deploy from another home; or, if that one is given up, remove \"federation\" and \"chainId\" from home.json.");
            }

            using var holder = folder.UnlockHolder(Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false));
            var founding = await FoundingPolicy.CreateAsync(
                BaseModel.Open(result.GetValue(model)?.FullName ?? folder.Settings.Model ?? BaseModel.Own),
                adapter,
                new Hash256(RandomNumberGenerator.GetBytes(Hash256.Size)),
                result.GetValue(maxSteps),
                parameters,
                cancellationToken);
            founding = founding with { Policy = updates.ReadFrom(result).Changed(founding.Policy) };
            if (PolicyEdit.Shortage(founding.Policy.Rule, holders.Count) is { } shortage)
            {
                await Console.Error.WriteLineAsync(shortage);
            }

            var plan = founding.ForChain(holders) with
            {
                VotingDelay = result.GetValue(votingDelay),
                VotingPeriod = result.GetValue(votingPeriod),
                ExecutionDelay = result.GetValue(executionDelay),
            };
            var costs = await FederationCosts.AskAsync(client, plan, cancellationToken);
            if (!result.GetValue(json))
            {
                Console.WriteLine(costs);
            }

            await RequireFundsAsync(client, holder.Address, costs, cancellationToken);
            using var sender = new TransactionSender(client, holder, costs.ChainId);
            var made = await Deployment.DeployAsync(client, sender, ContractArtifact.Code, plan, cancellationToken);
            folder.Save(folder.Settings with { Rpc = urls.Given, ChainId = sender.ChainId, Federation = made.Membership });
            var gas = made.Receipts.Select(r => r.GasUsed).ToList();
            Console.WriteLine(result.GetValue(json)
                ? JsonSerializer.Serialize(
                    new { federation = made.Membership.ToString(), governance = made.Governance.ToString(), rounds = made.Rounds.ToString(), chainId = sender.ChainId, block = made.DeploymentBlock, gas }, JsonOutput.Options)
                : $"""
                   The federation is {made.Membership} on chain {sender.ChainId}.
                     governance {made.Governance}
                     rounds     {made.Rounds}
                     gas        {string.Join(" + ", gas.Select(g => g.ToString("N0")))} = {gas.Aggregate(0UL, (a, b) => a + b):N0}
                   Each founder now runs: fedchain activate --home HOME --rpc {urls.Requests[0]} --federation {made.Membership}
                   """);
        });
        return command;
    }

    /// <summary>As many founders as are to be assumed: the price depends on how many they are.</summary>
    private static List<Address> Assumed(List<Address> named, int? count) => count switch
    {
        null when named.Count > 0 => named,
        null => throw new UserErrorException("For how many founders? Use --estimate NUMBER, or name them with --founder."),
        < 1 or > MostFounders => throw new UserErrorException($"--estimate takes a number of founders from 1 to {MostFounders}; got {count}."),
        { } number => [.. Enumerable.Range(1, number).Select(i => new Address(Keccak256.Hash($"founder {i}").ToArray().AsSpan(Hash256.Size - Address.Size)))],
    };

    /// <summary>Before the first of three transactions, so that not the second or third fails.</summary>
    private static async Task RequireFundsAsync(ChainClient client, Address payer, FederationCosts costs, CancellationToken cancellationToken)
    {
        var (balance, needed) = (await client.GetBalanceAsync(payer, cancellationToken), costs.Deployment.Total * costs.GasPrice);
        if (balance < needed)
        {
            throw new UserErrorException($"The holder {payer} of this home has {FederationCosts.Coins(balance)} of chain {costs.ChainId}'s coin, and deploying takes about {FederationCosts.Coins(needed)}. Send it that and some more for votes; nothing was sent.");
        }
    }

    private static Address Founder(string text) => Address.TryParse(text, out var address) ? address
        : throw new UserErrorException($"--founder takes a holder's address, 0x and 40 hex digits; got '{text}'.");

    private static Option<uint> Seconds(string name, string what, uint normal) => new(name) { Description = $"Seconds {what}.", DefaultValueFactory = _ => normal };
}
