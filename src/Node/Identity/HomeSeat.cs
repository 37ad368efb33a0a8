using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Identity;

/// <summary>Which seat a home has, without unlocking its keys: a keystore says whose it is.</summary>
internal static class HomeSeat
{
    /// <exception cref="UserErrorException">Neither key of this home has a seat in the federation.</exception>
    public static Seat Of(HomeFolder home, FederationState state)
    {
        var addresses = new[] { home.OperatorKey.Address, home.HolderKey.Address }.OfType<Address>().ToList();
        return state.Seats.Values.FirstOrDefault(s => addresses.Contains(s.Operator) || addresses.Contains(s.Holder))
            ?? throw new UserErrorException($"The home {home.Path} has no seat in this federation: neither {string.Join(" nor ", addresses)} holds or operates one. Name a member with --member.");
    }
}
