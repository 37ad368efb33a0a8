using System.CommandLine;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Identity;
using FedChain.Protocol;
using FedChain.Protocol.Identity;

namespace FedChain.Node.Cli;

internal static class IdentityCommand
{
    public static Command Create() => new("identity", "Shows who a member is and which model it has, and signs and checks what it says.")
    {
        IdentityShowCommand.Create(),
        IdentitySignCommand.Create(),
        IdentityCheckCommand.Create(),
    };

    /// <summary>Opens the federation that a DID names, or the one that the options name, and holds both against each other.</summary>
    internal static async Task<ChainSession> OpenAsync(HomeFolder? home, IReadOnlyList<string>? rpc, Address? federation, MemberDid? did, CancellationToken cancellationToken)
    {
        var named = federation ?? home?.Settings.Federation;
        if (did is { } expected && named is { } address && address != expected.Membership)
        {
            throw new UserErrorException($"{expected} is a member of the federation {expected.Membership}, but {address} was named. Leave --federation and --home away, or name that federation's.");
        }

        var session = await ChainSession.OpenAsync(home, rpc, did?.Membership ?? federation, TimeProvider.System, cancellationToken);
        if (did is { } wanted && wanted.Chain != session.ChainId)
        {
            await session.DisposeAsync();
            throw new UserErrorException($"{wanted} is a member on chain {wanted.Chain}, but {session.Client.Endpoint.Authority} leads to chain {session.ChainId}. Use an --rpc of chain {wanted.Chain}.");
        }

        return session;
    }

    internal static HomeFolder? OpenHome(DirectoryInfo? home) => home is null ? null : HomeFolder.Open(home.FullName);

    internal static MemberId MemberOf(uint? member, HomeFolder? home, ChainSession session) =>
        member is { } number ? new MemberId(number)
        : home is not null ? HomeSeat.Of(home, session.Reader.State).Id
        : throw new UserErrorException("Which member? Use --member ID, a DID, or --home DIR of a member's home.");
}
