using System.Text.Json;
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
        var addresses = new[] { "operator", "holder" }.Select(name => AddressOf(Path.Combine(home.Path, "keys", $"{name}.json"))).OfType<Address>().ToList();
        return state.Seats.Values.FirstOrDefault(s => addresses.Contains(s.Operator) || addresses.Contains(s.Holder))
            ?? throw new UserErrorException($"The home {home.Path} has no seat in this federation: neither {string.Join(" nor ", addresses)} holds or operates one. Name a member with --member.");
    }

    private static Address? AddressOf(string keystore)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(keystore));
            return json.RootElement.TryGetProperty("address", out var text) && Address.TryParse("0x" + text.GetString(), out var address) ? address : null;
        }
        catch (Exception e) when (e is JsonException or FileNotFoundException or InvalidOperationException)
        {
            return null; // without it the home can't be told apart; the caller says what to do
        }
    }
}
