using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Seats;

/// <summary>Ends rotations that the chain shows to be done: the transaction may have been sent by an earlier run, or by a board days later.</summary>
internal static class Rotations
{
    /// <summary>Takes the next operator's key into use if it operates a seat.</summary>
    /// <returns>Its address; null if no rotation is under way, or the chain doesn't show it.</returns>
    public static Address? FinishOperator(HomeFolder home, string passphrase, FederationState state)
    {
        if (!home.OperatorKey.HasNext)
        {
            return null;
        }

        using var next = home.UnlockNextOperator(passphrase);
        if (state.OperatedBy(next.Address) is null)
        {
            return null;
        }

        home.OperatorKey.Finish();
        return next.Address;
    }

    /// <summary>Takes the next age key into use if a profile names its recipients.</summary>
    /// <returns>Them; null if no rotation is under way, or the chain doesn't show it.</returns>
    public static IReadOnlyList<AgeRecipient>? FinishAge(HomeFolder home, string passphrase, FederationState state)
    {
        if (!home.AgeKey.HasNext)
        {
            return null;
        }

        var next = home.NextRecipients(passphrase);
        var published = state.Seats.Keys.SelectMany(id => Sealing.AgeOf(state.Profiles.GetValueOrDefault(id))).ToHashSet();
        if (!next.All(r => published.Contains(r.ToString())))
        {
            return null;
        }

        home.AgeKey.Finish();
        return next;
    }

    /// <summary>An age key in short: post-quantum recipients take pages.</summary>
    public static string InShort(IReadOnlyList<AgeRecipient> recipients) =>
        $"{recipients.First(r => r.Kind == AgeKeyKind.X25519)}{(recipients.Count > 1 ? " and its post-quantum counterpart" : "")}";
}
