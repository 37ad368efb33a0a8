using System.CommandLine;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.Seats;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Keys;

namespace FedChain.Node.Cli;

internal static class RotateOperatorCommand
{
    public static Command Create()
    {
        var sending = new Sending(alone: true);
        var finish = new Option<bool>("--finish") { Description = "Send nothing: only take the next key into use, once the chain names it." };
        var command = new Command("operator", """
            Replaces the peer's key: makes the next one, has the holder name it on the chain, and takes it into use. The peer must be stopped; it may be
            the middle of a round, which the restarted peer goes on with. Broken off at any point, the same command finishes what it began.

            Example:
              fedchain rotate operator --home /srv/fedchain
            For a holder that is a contract: print the call, let the board send it, then finish.
              fedchain rotate operator --home /srv/fedchain --calldata --from 0x5fbdb2315678afecb367f032d93f642f64180aa3
              fedchain rotate operator --home /srv/fedchain --finish
            """)
        { finish };
        sending.AddTo(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var writer = await sending.OpenAsync(result, cancellationToken);
            var (home, session, state) = (writer.Home, writer.Session, writer.Session.Reader.State);
            if (Rotations.FinishOperator(home, writer.Secret, state) is { } finished)
            {
                writer.Tell($"The rotation is done: {finished} operates seat {state.OperatedBy(finished)!.Id}. {await GasAsync(session.Client, finished, cancellationToken)}", Facts(finished));
                return;
            }

            if (result.GetValue(finish))
            {
                throw new UserErrorException(home.OperatorKey.HasNext
                    ? $"The chain doesn't name the next operator {AddressOfNext(writer)} yet. Let the holder send the call that 'fedchain rotate operator' printed, then try again."
                    : "There is no rotation to finish: this home has no next operator key. 'fedchain rotate operator' begins one.");
            }

            var seat = SeatLookup.HeldBy(session, writer.Account);
            home.OperatorKey.Begin(writer.Secret, new KeystoreOptions());
            using var next = home.UnlockNextOperator(writer.Secret);
            var member = await new RoundsClient(session.Client, state.RoundsContract).GetMemberAsync(seat.Id, cancellationToken);
            var commitment = SeatSecrets.Commitment(next, session.ChainId, state.RoundsContract, seat.Id, member.Commitments);
            var call = new MembershipClient(session.Client, session.Federation).SetOperator(next.Address, commitment);
            if (await writer.TransactAsync(call, cancellationToken) is not { } receipt)
            {
                await Console.Error.WriteLineAsync($"Nothing was sent. The next operator {next.Address} waits in {home.OperatorKey.Next}. Once {writer.Account} has sent this call: fedchain rotate operator --finish");
                return;
            }

            home.OperatorKey.Finish();
            writer.Report(
                receipt, $"Seat {seat.Id} is operated by {next.Address} instead of {seat.Operator}, whose key is kept. {await GasAsync(session.Client, next.Address, cancellationToken)}", Facts(next.Address));
        });
        return command;

        static JsonObject Facts(Address address) => new() { ["operator"] = address.ToString() };
    }

    private static Address AddressOfNext(Writer writer)
    {
        using var next = writer.Home.UnlockNextOperator(writer.Secret);
        return next.Address;
    }

    /// <summary>A fresh key owns nothing, and a peer that can't pay for gas can't submit.</summary>
    private static async Task<string> GasAsync(ChainClient client, Address address, CancellationToken cancellationToken) =>
        await client.GetBalanceAsync(address, cancellationToken) is { IsZero: false } balance
            ? $"It has {EtherAmount.Format(balance, EtherAmount.Ether)} of the chain's currency to pay for gas."
            : $"It has nothing to pay for gas: send some of the chain's currency to {address} before the peer starts.";
}
