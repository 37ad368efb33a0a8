using FedChain.Network.Chain;
using FedChain.Node.Peer;
using FedChain.Node.Seats;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Chain;

/// <summary>
/// A peer's transactions to Rounds. Each says how to see that its effect is there already, so that repeating it, also after a restart, does nothing.
/// A receipt is returned if this call brought it about, null if it had been done.
/// </summary>
internal sealed class RoundsWriter(RoundsClient rounds, TransactionSender sender, PeerIdentity identity)
{
    private readonly SeatSecrets _secrets = new(identity);

    public Task<Receipt?> OpenAsync(RoundId after, CancellationToken cancellationToken) =>
        SendAsync("open", $"round {after.Value + 1}: open", rounds.Open(), async c => await rounds.GetCurrentAsync(c) != after, cancellationToken);

    public async Task<Receipt?> SubmitAsync(RoundState round, Hash256 manifest, CancellationToken cancellationToken)
    {
        var member = await rounds.GetMemberAsync(identity.Member, cancellationToken);
        if (member.LastRound == round.Id)
        {
            return null;
        }

        var secret = _secrets.Opening(member) ?? throw new UserErrorException(
            $"None of this home's operator keys made the commitment {member.Commitment} of seat {identity.Member}. A peer that starts makes another, and so does 'fedchain recommit'; it holds from the next round on.");
        return await SendAsync(
            "submit", $"round {round.Id}: submit",
            rounds.Submit(round.Id, round.Policy, round.Base, manifest, secret, _secrets.Next(member)),
            async c => (await rounds.GetMemberAsync(identity.Member, c)).LastRound == round.Id,
            cancellationToken);
    }

    public Task<Receipt?> PublishAsync(RoundState round, int turn, Hash256 manifest, Hash256 aggregate, CancellationToken cancellationToken) => SendAsync(
        "publish", $"round {round.Id}: publish in turn {turn}",
        rounds.Publish(round.Id, (uint)turn, manifest, aggregate),
        async c => await rounds.GetRoundAsync(c) is var now && (now.Number != round.Id || now.Turn > (ulong)turn || (now.Turn == (ulong)turn && !now.Candidate.IsZero)),
        cancellationToken);

    /// <summary>The follower sees its own vote in the log; a repeated one is refused by the contract and does no harm.</summary>
    public Task<Receipt?> AttestAsync(RoundState round, int turn, Hash256 candidate, bool valid, CancellationToken cancellationToken) =>
        SendAsync("attest", $"round {round.Id}: attest {candidate}", rounds.Attest(round.Id, (uint)turn, candidate, valid), isDone: null, cancellationToken);

    /// <summary>Makes another commitment, if none of this home's keys opens the seat's; it holds from the next opening on.</summary>
    public async Task<Receipt?> RecommitAsync(FederationState federation, CancellationToken cancellationToken)
    {
        if (!await _secrets.MustRecommitAsync(rounds, federation, cancellationToken))
        {
            return null;
        }

        var member = await rounds.GetMemberAsync(identity.Member, cancellationToken);
        return await SendAsync(kind: null, $"recommit, commitment {member.Commitments}", rounds.Recommit(_secrets.Next(member)), isDone: null, cancellationToken);
    }

    /// <param name="name">What is intended, within this Rounds contract.</param>
    private async Task<Receipt?> SendAsync(string? kind, string name, ContractCall call, Func<CancellationToken, Task<bool>>? isDone, CancellationToken cancellationToken) =>
        await sender.SendAsync(TransactionIntent.From(call) with { Name = $"{rounds.Address} {name}", IsDone = isDone, Kind = kind }, cancellationToken) switch
        {
            SendOutcome.Included(var receipt) => receipt,
            SendOutcome.AlreadyDone => null,
            SendOutcome.Refused(var refusal, _) => throw new ChainException($"The contract refused {call.Description}. {RefusalText.Of(refusal)}") { Refusal = refusal },
            var outcome => throw new InvalidOperationException($"Unknown outcome {outcome}."),
        };
}
