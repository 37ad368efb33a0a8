using System.Threading.Channels;
using FedChain.Network.Chain;
using FedChain.Node.Peer;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Demo;

/// <summary>Starts the members' peers, follows what they report and what the chain says, and shows both.</summary>
internal sealed class DemoWatch(DemoHome home, FederationReader reader, DemoScreen screen) : IAsyncDisposable
{
    private readonly Channel<PeerEvent> _events = Channel.CreateUnbounded<PeerEvent>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Dictionary<uint, string> _names = [];
    private readonly List<PeerProcess> _peers = [];
    private readonly HashSet<string> _shown = new(StringComparer.Ordinal);

    public RoundLog Log { get; } = new();

    public void Start(DemoMember member)
    {
        _names[member.Id.Value] = member.Name;
        _peers.Add(PeerProcess.Start(member.Home, home.PassphraseFile, Path.Combine(home.Logs, $"{member.Name}.jsonl"), _events.Writer));
    }

    /// <summary>Waits until some member has seen the round's end.</summary>
    /// <exception cref="UserErrorException">A peer stopped before.</exception>
    public async Task UntilEndOfAsync(int round, CancellationToken cancellationToken)
    {
        await foreach (var e in _events.Reader.ReadAllAsync(cancellationToken))
        {
            Log.Add(e);
            screen.Show(e, _names[e.Member]);
            if (e is PeerEvent.Training or PeerEvent.UpdateHeld)
            {
                continue;
            }

            await reader.ReadAsync(cancellationToken);
            foreach (var state in reader.State.Rounds)
            {
                ShowProgress(state, reader.Now);
            }

            if (Log.HasEnded((ulong)round))
            {
                return;
            }
        }

        throw new UserErrorException($"All members have stopped before round {round} was over. Their logs lie in {home.Logs}.");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _peers)
        {
            await peer.DisposeAsync();
        }
    }

    private void ShowProgress(RoundState round, ulong now)
    {
        if (round.PhaseAt(now) is not Phase.Training && round.Submissions.Length > 0 && _shown.Add($"closed {round.Id}"))
        {
            screen.Say($"round {round.Id}: {round.Submissions.Length} of {round.Eligible} updates are in; beacon {DemoScreen.Short(round.Beacon.ToString())}; "
                + $"turns: {string.Join(", ", round.Turns.Select(t => _names[round.Submissions[t].Member.Value]))}");
        }

        if (round.Winner is { } winner && _shown.Add($"ended {round.Id}"))
        {
            screen.Say($"round {round.Id}: finalised with {winner.Votes.Values.Count(v => v)} attestations; adapter {winner.Aggregate}");
        }
        else if (round.PhaseAt(now) is Phase.Aborted && _shown.Add($"ended {round.Id}"))
        {
            screen.Say($"round {round.Id}: aborted; the next starts from the same base");
        }
    }
}
