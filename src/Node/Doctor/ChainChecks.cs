using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Protocol;

namespace FedChain.Node.Doctor;

/// <summary>The chain's node: the right chain, in time, able to do what a peer asks; and the federation on it, as released.</summary>
internal static class ChainChecks
{
    /// <summary>What a clock may be wrong by, in seconds, before deadlines are misjudged.</summary>
    private const long MostSkew = 30;

    private static readonly string[] All = ["chain", "clock", "node", "federation", "contracts"];

    /// <returns>The federation, read up to now; null if it can't be.</returns>
    public static async Task<ChainSession?> RunAsync(HomeFolder home, IReadOnlyList<string>? rpc, Address? federation, TimeProvider time, Checkup checkup, CancellationToken cancellationToken)
    {
        if (rpc is not { Count: > 0 } && home.Settings.Rpc is not { Count: > 0 })
        {
            checkup.Problem("chain", "the home names no chain", "Set \"rpc\" in home.json, or use --rpc URL.");
            checkup.Skip(All[1..], "there is no chain to ask");
            return null;
        }

        using var http = new HttpClient();
        var client = await checkup.FindAsync("chain", "Mend \"rpc\" in home.json, or use --rpc URL.", async () =>
        {
            var asked = new ChainClient(http, RpcUrls.Of(rpc, home).Requests, new ChainOptions { Retries = 1, ChainId = home.Settings.ChainId }, time);
            var id = await asked.GetChainIdAsync(cancellationToken);
            if (home.Settings.ChainId is { } expected && expected != id)
            {
                throw new UserErrorException($"{asked.Endpoint.Authority} leads to chain {id}, but this home's federation is on chain {expected}.");
            }

            var answer = $"{asked.Endpoint.Authority} answers for chain {id}{(home.Settings.ChainId is null ? "; the home names none yet" : "")}";
            var others = string.Concat(asked.Providers.Where(p => !p.IsInUse).Select(p => $"; {p}"));
            if (asked.Providers.Any(p => p.Fault is not null))
            {
                checkup.Warn("chain", answer + others, "The peer does with one that works; mend or remove the others in \"rpc\" in home.json.");
            }
            else
            {
                checkup.Ok("chain", answer + others);
            }

            return asked;
        });
        if (client is null)
        {
            checkup.Skip(All[1..], "the home's chain does not answer");
            return null;
        }

        await checkup.TryAsync("clock", "Ask whoever runs the chain's node.", () => ClockAsync(client, time, checkup, cancellationToken));
        await checkup.TryAsync("node", "Ask whoever runs the chain's node.", () => AbilitiesAsync(client, checkup, cancellationToken));
        if ((federation ?? home.Settings.Federation) is null)
        {
            checkup.Problem("federation", "the home names no federation", "Use --federation ADDRESS; 'fedchain activate' notes it in the home.");
            checkup.Skip("contracts", "there is no federation to look at");
            return null;
        }

        var session = await checkup.FindAsync(
            "federation", "Check \"federation\" in home.json; it is the address of Membership that 'fedchain deploy' printed.",
            () => ChainSession.OpenAsync(home, rpc, federation, time, cancellationToken));
        if (session is null)
        {
            checkup.Skip("contracts", "there is no federation to look at");
            return null;
        }

        var state = session.Reader.State;
        var missing = state.Founders.Length - state.FoundersActivated;
        checkup.Ok("federation", $"{session.Federation}: {state.Seats.Count} members{(missing > 0 ? $", {missing} founders have yet to activate" : "")}; {state.Rounds.Count} rounds so far, policy up to {state.LastRound}{(state.Paused ? ", PAUSED" : "")}");
        await checkup.TryAsync("contracts", "Don't use this federation: its contracts may do anything.", () => ContractsAsync(session, checkup, cancellationToken));
        return session;
    }

    private static async Task ClockAsync(ChainClient client, TimeProvider time, Checkup checkup, CancellationToken cancellationToken)
    {
        var latest = (await client.GetBlockAsync(BlockTag.Latest, cancellationToken))!;
        var next = await NextBlockTimeAsync(client, cancellationToken) ?? latest.Timestamp;
        var here = time.GetUtcNow().ToUnixTimeSeconds();
        var ahead = (long)Math.Max(next, latest.Timestamp) - here;
        var age = Math.Max(0, here - (long)latest.Timestamp);
        var block = $"block {latest.Number:N0} is {age:N0} s old";
        if (ahead > MostSkew)
        {
            checkup.Warn("clock", $"the chain's time is {ahead:N0} s ahead of this machine's; {block}", "Set this machine's clock by NTP. A local test chain runs ahead by itself when it makes many blocks, which does no harm.");
        }
        else if (-ahead > MostSkew)
        {
            checkup.Warn("clock", $"the chain's time is {-ahead:N0} s behind this machine's; {block}", "Set this machine's clock by NTP. If it is right, the chain is idle or stuck, or its node is still catching up.");
        }
        else
        {
            checkup.Ok("clock", $"within {MostSkew} s of the chain's; {block}");
        }
    }

    private static async Task<ulong?> NextBlockTimeAsync(ChainClient client, CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetTimeAsync(BlockTag.Pending, cancellationToken);
        }
        catch (ChainException e) when (!e.IsTransient)
        {
            return null; // a node that makes no pending block
        }
    }

    private static async Task AbilitiesAsync(ChainClient client, Checkup checkup, CancellationToken cancellationToken)
    {
        var abilities = await client.TryAbilitiesAsync(cancellationToken);
        var refused = abilities.Where(a => a.Error is not null).ToList();
        var list = string.Join(", ", abilities.Select(a => a.Ability));
        if (refused.Count == 0)
        {
            checkup.Ok("node", $"takes {list}");
        }
        else if (refused is [{ Ability: ChainClient.PendingEstimate }])
        {
            checkup.Warn("node", $"refuses {ChainClient.PendingEstimate}: {refused[0].Error!.Message}", "Estimates are made in the latest block instead, which does on chains that make blocks all the time.");
        }
        else
        {
            checkup.Problem("node", string.Join("; ", refused.Select(a => $"refuses {a.Ability}: {a.Error!.Message}")), "Use another RPC: a peer can't follow the chain without it.");
        }
    }

    private static async Task ContractsAsync(ChainSession session, Checkup checkup, CancellationToken cancellationToken)
    {
        var state = session.Reader.State;
        var differences = (await DeployedContracts.CodeDifferencesAsync(session.Client, session.Federation, state, cancellationToken)).ToList();
        if (differences.Count == 0 && await DeployedContracts.WiringDifferenceAsync(session.Client, session.Federation, state, cancellationToken) is { } miswired)
        {
            differences.Add(miswired);
        }

        if (differences.Count > 0)
        {
            checkup.Problem("contracts", string.Join("; ", differences), "Don't use this federation unless its members know why; 'fedchain verify' says more. Or use the program's version that it was deployed with.");
        }
        else
        {
            checkup.Ok("contracts", "Membership, Governance and Rounds are the release build and name each other");
        }
    }
}
