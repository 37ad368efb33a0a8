using System.Text;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Seats;

/// <summary>The profile that a home publishes for its seat.</summary>
internal static class OwnProfile
{
    /// <summary>All of it from the home and the latest policy.</summary>
    public static Profile FromHome(HomeSettings settings, PeerKeys keys, FederationState state)
    {
        var policy = Policy.Parse(Encoding.UTF8.GetBytes(state.LatestPolicy!.Json));
        return new Profile(settings.Name, keys.Recipients.Select(r => r.ToString()), [settings.Endpoint], policy.BaseModel, policy.Adapter.Digest);
    }

    /// <summary>
    /// The published profile with another age key of this home. Recipients that aren't this home's stay: the institution put them there by hand. A
    /// profile that can't be read is made anew.
    /// </summary>
    public static Profile WithAge(Profile? published, HomeSettings settings, PeerKeys keys, IReadOnlyList<AgeRecipient> next, FederationState state)
    {
        var own = keys.Age.Select(a => a.Recipient).Concat(next).Select(r => r.ToString()).ToHashSet();
        var before = published ?? FromHome(settings, keys, state);
        return new Profile(before.Name, [.. next.Select(r => r.ToString()), .. before.Age.Where(r => !own.Contains(r))], before.Endpoints, before.BaseModel, before.AdapterConfig);
    }

    /// <summary>What the chain has for a seat; null if it can't be read.</summary>
    public static Profile? Published(FederationState state, MemberId id) => Sealing.ProfileOf(state.Profiles.GetValueOrDefault(id));

    public static string Text(Profile profile) => Encoding.UTF8.GetString(profile.ToBytes());

    /// <summary>What a change does, a line a field; nothing if the two are equal.</summary>
    public static IEnumerable<string> Difference(Profile? before, Profile after)
    {
        var old = before is null ? [] : Fields(before).ToDictionary();
        return Fields(after).Where(field => old.GetValueOrDefault(field.Key) != field.Value)
            .Select(field => $"{field.Key}: {InShort(old.GetValueOrDefault(field.Key, "(none that can be read)"))} -> {InShort(field.Value)}");
    }

    /// <summary>A field for people: a post-quantum recipient takes 2,000 characters.</summary>
    public static string InShort(string field) => string.Join(", ", field.Split(", ").Select(part => part.Length <= 160 ? part : $"{part[..24]}…{part[^8..]}"));

    public static IEnumerable<KeyValuePair<string, string>> Fields(Profile profile) =>
    [
        new("name", profile.Name),
        new("endpoints", string.Join(", ", profile.Endpoints)),
        new("age", string.Join(", ", profile.Age)),
        new("base model", profile.BaseModel.ToString()),
        new("adapter configuration", profile.AdapterConfig.ToString()),
    ];
}
