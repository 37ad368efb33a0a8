using System.Numerics;
using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Costs;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Node.Seats;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Doctor;

/// <summary>This home's seat: there, awake, able to reveal and to pay, and published as the home is.</summary>
internal sealed class SeatChecks(HomeFolder home, PeerKeys? keys, ChainSession session, int rounds, Checkup checkup)
{
    public static readonly string[] All = ["seat", "commitment", "funds-operator", "funds-holder", "profile"];

    private FederationState State => session.Reader.State;

    /// <returns>The seat; null if there is none.</returns>
    public async Task<Seat?> RunAsync(CancellationToken cancellationToken)
    {
        if (await checkup.FindAsync("seat", "Restore keys/ from a backup.", () => Task.FromResult(Addresses())) is not { } own)
        {
            checkup.Skip(All[1..], "this home's addresses are not known");
            return null;
        }

        var seat = State.Seats.Values.FirstOrDefault(s => s.Operator == own.Operator) ?? State.Seats.Values.FirstOrDefault(s => s.Holder == own.Holder);
        Found(seat, own);
        if (seat is null)
        {
            checkup.Skip("commitment", "there is no seat");
        }
        else
        {
            await checkup.TryAsync("commitment", "Run doctor again.", () => CommitmentAsync(seat, cancellationToken));
        }

        await checkup.TryAsync("funds", "Run doctor again.", () => FundsAsync(seat, own, cancellationToken));
        if (seat is null)
        {
            checkup.Skip("profile", "there is no seat");
        }
        else
        {
            Profile(seat);
        }

        return seat;
    }

    private Accounts Addresses() => new(
        home.HolderAddress ?? throw new UserErrorException("keys/holder.json names no address."),
        home.OperatorAddress ?? throw new UserErrorException("keys/operator.json names no address."));

    private void Found(Seat? seat, Accounts own)
    {
        if (seat is null)
        {
            var mayActivate = State.Founders.Contains(own.Holder) && session.Reader.Now < State.FoundingEndsAt;
            checkup.Problem(
                "seat",
                mayActivate ? $"the holder {own.Holder} is a founder and has not activated its seat" : $"neither holder {own.Holder} nor operator {own.Operator} has a seat",
                mayActivate ? $"fedchain activate --home {home.Path}"
                : State.Applications.Values.Any(a => a.Holder == own.Holder) ? "Its application waits for the members' vote." : "Apply for a seat; the members vote on it.");
        }
        else if (seat.Operator != own.Operator)
        {
            checkup.Problem("seat", $"seat {seat.Id} is operated by {seat.Operator}, but this home's operator is {own.Operator}", "Use the home that has that key, or have the holder name this home's operator.");
        }
        else if (seat.DormantFrom is { } dormant)
        {
            checkup.Problem("seat", $"seat {seat.Id} is dormant: rounds from {dormant} on don't count it, and it has no vote", $"Wake it: fedchain wake --home {home.Path}");
        }
        else if (seat.Holder != own.Holder)
        {
            checkup.Warn("seat", $"seat {seat.Id} is held by {seat.Holder}, not by this home's holder {own.Holder}", "If the holder's key is meant to lie elsewhere, all is well.");
        }
        else
        {
            checkup.Ok("seat", $"{seat.Id}, active{(seat.CountsFor(State.NextRound) ? "" : $" from round {seat.ActiveFrom} on")}");
        }
    }

    private async Task CommitmentAsync(Seat seat, CancellationToken cancellationToken)
    {
        if (keys is null)
        {
            checkup.Skip("commitment", "needs the operator's key");
            return;
        }

        var contract = new RoundsClient(session.Client, State.RoundsContract);
        var member = await contract.GetMemberAsync(seat.Id, cancellationToken);
        var identity = new PeerIdentity(session.ChainId, session.Federation, State.RoundsContract, seat.Id, keys);
        if (await new SeatSecrets(identity).MustRecommitAsync(contract, State, cancellationToken))
        {
            checkup.Problem("commitment", $"none of this home's operator keys made the commitment {member.Commitment} that the next submission has to open", $"Make another: fedchain recommit --home {home.Path}, or start the peer, which does it. It holds from the next round on.");
        }
        else
        {
            checkup.Ok("commitment", $"this home's key opens it, or one that waits for the next opening; {member.Commitments} made, {member.Submitted} updates submitted");
        }
    }

    private async Task FundsAsync(Seat? seat, Accounts own, CancellationToken cancellationToken)
    {
        var (_, price) = await session.Client.GetGasPriceAsync(cancellationToken); // what a node wants to see before it takes a transaction
        var perRound = GasFigures.MostPerRound * price;
        var balance = await session.Client.GetBalanceAsync(own.Operator, cancellationToken);
        var text = $"operator {own.Operator} has {FederationCosts.Coins(balance)} of the chain's coin";
        if (balance >= rounds * perRound)
        {
            checkup.Ok("funds-operator", price.IsZero ? $"{text}; gas costs nothing here" : $"{text}: at least {balance / perRound:N0} rounds at the present gas price");
        }
        else
        {
            var advice = $"Send it {FederationCosts.Coins((rounds * perRound) - balance)} for {rounds} rounds.";
            if (balance < perRound)
            {
                checkup.Problem("funds-operator", $"{text}; a round takes up to {FederationCosts.Coins(perRound)}", advice);
            }
            else
            {
                checkup.Warn("funds-operator", $"{text}, enough for {balance / perRound} rounds at the present gas price", advice);
            }
        }

        Holder(seat, own.Holder, await session.Client.GetBalanceAsync(own.Holder, cancellationToken), price);
    }

    private void Holder(Seat? seat, Address holder, BigInteger balance, BigInteger price)
    {
        var needed = (seat is null ? GasFigures.Activate : GasFigures.Propose + GasFigures.Vote + GasFigures.Enact) * price;
        var what = seat is null ? "taking a seat" : "proposing, voting and executing";
        var text = $"holder {holder} has {FederationCosts.Coins(balance)}";
        if (balance >= needed)
        {
            checkup.Ok("funds-holder", $"{text}; {what} takes up to {FederationCosts.Coins(needed)}");
        }
        else if (seat is null)
        {
            checkup.Problem("funds-holder", $"{text}; {what} takes up to {FederationCosts.Coins(needed)}", "Send it some.");
        }
        else
        {
            checkup.Warn("funds-holder", $"{text}; {what} takes up to {FederationCosts.Coins(needed)}", "Send it some before there is something to decide. Rounds don't need it.");
        }
    }

    private void Profile(Seat seat)
    {
        if (Sealing.ProfileOf(State.Profiles.GetValueOrDefault(seat.Id)) is not { } profile)
        {
            checkup.Problem("profile", $"the profile of seat {seat.Id} on the chain can't be read, so nothing is sealed to it", "Publish the home's profile again.");
            return;
        }

        var differences = new List<string>();
        if (!profile.Endpoints.Contains(home.Settings.Endpoint))
        {
            differences.Add($"the others look for it at {string.Join(" or ", profile.Endpoints)}, but the home says {home.Settings.Endpoint}");
        }

        if (keys is not null && !profile.Age.Contains(keys.Age[0].Recipient.ToString()))
        {
            differences.Add($"files are sealed to {string.Join(" and ", profile.Age)}, but this home opens {keys.Age[0].Recipient}");
        }

        if (differences.Count > 0)
        {
            checkup.Problem("profile", string.Join("; ", differences), "Publish the home's profile again, or set home.json back to what is published.");
        }
        else
        {
            checkup.Ok("profile", $"published as {profile.Name}, with this home's endpoint{(keys is null ? "; its age recipient was not compared without a passphrase" : " and age recipient")}");
        }
    }

    private sealed record Accounts(Address Holder, Address Operator);
}
